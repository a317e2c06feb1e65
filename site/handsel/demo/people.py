"""Invented people: who they are, what they type into a form, and how they came. Pure functions of a random source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, NamedTuple

from handsel.forms.asking import for_strangers
from handsel.forms.library import CaptureForm, Field

FIRST = ("Amara", "Bea", "Callum", "Chidi", "Dafydd", "Elena", "Farah", "George", "Hana", "Idris", "Iona", "Jonas",
         "Kirsty", "Leila", "Malcolm", "Maya", "Nia", "Olu", "Priya", "Rhys", "Saoirse", "Tomasz", "Una", "Viktor",
         "Wen", "Yusuf", "Zoë")
LAST = ("Adeyemi", "Brook", "Carver", "Doyle", "Ellis", "Fraser", "Grant", "Hughes", "Iqbal", "Jackson", "Kowalska",
        "Lloyd", "Mensah", "Nowak", "O'Brien", "Patel", "Quinn", "Reid", "Shaw", "Thomas", "Usman", "Vance", "Walsh",
        "Young")
COMPANIES = {  # each with its industry and how many work there
    "Ashgrove Surgery": ("Health", 24), "Beacon Primary School": ("Education", 41), "Copper Kettle Cafés": ("Food", 18),
    "Dale View Care": ("Care", 120), "Eastfield Joinery": ("Crafts", 9), "Fernbank Nursery": ("Education", 14),
    "Greyfriars Parish Hall": ("Charity", 3), "Harbour Print": ("Print", 32), "Ivy Lane Dental": ("Health", 11),
    "Juniper Architects": ("Design", 16), "Kestrel Logistics": ("Transport", 260), "Limewood Theatre": ("Culture", 55),
    "Moorside Housing": ("Housing", 85), "Northmill Weavers": ("Crafts", 38), "Oak Street Hostel": ("Charity", 22),
    "Pennine College": ("Education", 310), "Quayside Hotel": ("Food", 64), "Ridge Lane Primary": ("Education", 37),
}
TITLES = ("Office manager", "Bursar", "Head of facilities", "Practice manager", "Director", "Operations lead",
          "Trustee")
COUNTRIES = ("United Kingdom", "United Kingdom", "United Kingdom", "Ireland", "Germany", "Netherlands")
# Domains that are set aside for examples, as is .example, so that no letter ever reaches a stranger.
MAILBOXES = ("example.com", "example.net", "example.org")
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WAYS = (  # how often, the referring page, the query
    (38, "https://www.google.com/", ""),
    (22, "", ""),
    (14, "", "utm_source=letter&utm_medium=email&utm_campaign=autumn"),
    (10, "https://www.bing.com/", ""),
    (9, "https://www.facebook.com/", "utm_source=facebook&utm_medium=cpc&utm_campaign=warm-home"),
    (7, "https://www.linkedin.com/", ""),
)


class Person(NamedTuple):
    """One invented person with the environment of their browser's requests, as WSGI has it."""

    first_name: str
    last_name: str
    company: str
    environ: dict[str, str]


def crowd(random: Random) -> Iterator[Person]:
    """People without end; no two from the same network."""
    companies = tuple(COMPANIES)
    for number in count():
        yield Person(random.choice(FIRST), random.choice(LAST), random.choice(companies), _environ(random, number))


def mailbox(random: Random, person: Person, taken: Counter[str], *, at_work: bool = False) -> str:
    """A mailbox for ``person`` that nobody has yet, private or ``at_work``; ``taken`` counts how often each name has
    one."""
    local = f"{person.first_name}.{person.last_name}".lower().replace("'", "").replace("ë", "e")
    taken[local] += 1
    domain = work_domain(person.company) if at_work else random.choice(MAILBOXES)
    return f"{local}{taken[local] if taken[local] > 1 else ''}@{domain}"


def work_domain(company: str) -> str:
    """The mail domain of an invented company."""
    return f"{company.lower().replace(' ', '-').replace('é', 'e')}.example"


def _environ(random: Random, number: int, browser: str = "") -> dict[str, str]:
    _, referrer, query = random.choices(WAYS, [way[0] for way in WAYS])[0]
    # Each number is a network of its own, below 224.0.0.0.
    address = f"{1 + number // 65536 % 220}.{number // 256 % 256}.{number % 256}.7"
    found = {"REMOTE_ADDR": address, "REQUEST_METHOD": "GET", "QUERY_STRING": query,
             "HTTP_USER_AGENT": browser or random.choice(BROWSERS), "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.8"}
    return found | ({"HTTP_REFERER": referrer} if referrer else {})


def robot(random: Random) -> dict[str, str]:
    """The environment of a search engine's visit."""
    return _environ(random, random.randrange(1 << 23), ROBOT)


def answers(random: Random, person: Person, email: str, form: CaptureForm) -> dict[str, Any]:
    """What ``person`` types into ``form``; optional questions stay empty as often as not."""
    found: dict[str, Any] = {}
    for field in for_strangers(form).fields:
        if field.type == "email":
            found[field.name] = email
        elif field.always_filled or random.random() < 0.5:
            found[field.name] = _answer(random, person, field)
    return found


def _answer(random: Random, person: Person, field: Field) -> Any:
    known = {"given-name": person.first_name, "family-name": person.last_name, "company": person.company,
             "name": f"{person.first_name} {person.last_name}", "job-title": random.choice(TITLES),
             "country": random.choice(COUNTRIES), "phone": f"+44 7700 900{random.randrange(1000):03}",
             "postal-code": "LS1 4AB", "url": "https://www.example.org/", "hidden": field.value,
             "textarea": "We would like to begin before next winter.", "date": "2027-03-01"}
    if field.choices:
        chosen = random.choice(field.choices)[0]
        return [chosen] if field.type == "checkboxes" else chosen
    if field.type == "number":
        least, most = field.min or 0, field.max if field.max is not None else 100
        return int(least + (min(most, least + 2000) - least) * random.random())
    if field.type == "checkbox":
        return True
    return known.get(field.type, "Sample")
