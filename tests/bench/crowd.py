"""A million believable leads on either engine: many iqls and few customers, common and rare names, old imports."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

import psycopg
from sqlalchemy import make_url

from handsel.db import instant_text
from handsel.leads.listing.words import words_of

START = datetime(2024, 1, 8, 9, tzinfo=UTC)
FIRST = [first + more for first in (
    "Ada", "Ben", "Clara", "Dara", "Eve", "Finn", "Gül", "Hana", "Ines", "Jo", "Kai", "Lena", "Mara", "Nils", "Oda",
    "Paul", "Rosa", "Sam", "Tess", "Uli") for more in ("", "line", "bel", "mir")]
LAST = [first + last for first in (
    "Mar", "Hol", "Win", "Kett", "Stør", "Bar", "Lin", "Quill", "Read", "O'Neil", "Fair", "Green", "Ash", "Wood",
    "Hill", "Stone", "Brook", "Field", "Moor", "West")
        for last in ("", "sh", "ing", "ley", "er", "mer", "ton", "worth", "gate", "feld")]
COMPANIES = [f"{name} {kind}" for name in (
    "Northlight", "Harbour", "Kettle", "Bluedoor", "Millane", "Aurora", "Beacon", "Cedar", "Delta", "Elm")
             for kind in ("Ltd", "Homes", "Energy", "& Sons", "GmbH")]
STAGES = ("iql", "mql", "sql", "pql", "service", "customer")
SHARES = (70, 20, 4, 2, 1, 3)
LOWEST = {"iql": 0, "mql": 30, "sql": 55, "pql": 40, "service": 20, "customer": 60}
OWNED = {"sql": 0.95, "customer": 0.98, "mql": 0.1}
DID = {"asked": 1.0, "downloaded": 0.6, "visited": 0.05}
"""What share of the leads have a fact of that kind."""
FAIR = range(100_000, 115_000)
"""The leads of an old trade fair: they came together, and long ago."""
TABLES = ("account", "lead", "lead_tag", "lead_offer", "lead_fact", "lead_word")

Row = dict[str, Any]


def _at(number: int, seconds: int = 60) -> str:
    return instant_text(START + timedelta(seconds=seconds * number))


def rows(number: int) -> Iterator[tuple[str, Row]]:
    """Rows by table: accounts, and so many leads with what hangs on them."""
    chance = random.Random(11)
    for each in range(1, 13):
        yield "account", {"id": each, "email": f"seller{each}@here.example", "name": f"Seller {each}", "role": "sales",
                          "active": True, "created_at": _at(0)}
    for each in range(number):
        yield from _lead(each, number, chance)


def _lead(each: int, number: int, chance: random.Random) -> Iterator[tuple[str, Row]]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    fair = each in FAIR
    company = "Expo Visitors" if fair else chance.choice(COMPANIES)
    domain = chance.choice(("post.example", "mail.example", f"{company.split()[0].lower()}.example"))
    email = f"{first.lower()}.{last.lower().replace(chr(39), '')}{each}@{domain}"
    stage = chance.choices(STAGES, SHARES)[0]
    owner = chance.randint(1, 12) if chance.random() < OWNED.get(stage, 0.01) else None
    tags = ["fair"] if fair else ["energy"] if each % 2 else ["landlord", *(["vip"] if each % 997 == 0 else [])]
    offer = "demo" if chance.random() < 0.02 else "guide"
    yield "lead", {
        "id": each + 1, "key": f"k{each:021d}", "email": email, "address": email, "name": f"{first} {last}",
        "first_name": first, "last_name": last, "company": company, "job_title": "", "country": "GB", "custom": "{}",
        "stage": stage, "stage_at": _at(min(number, each + chance.randrange(1 + number // 10))),
        "score": LOWEST[stage] + chance.randrange(40), "fit": 10, "interest": 10, "owner_id": owner,
        "acted_at": None if each % 11 == 0 else _at(each + chance.randrange(1 + number // 4)), "plain": True,
        "tags_text": ", ".join(tags), "offers_text": offer, "source": chance.choice(("google", "newsletter", "direct")),
        "consent_text": "advice", "captured_at": _at(each), "last_capture_at": _at(each), "confirmed_at": _at(each)}
    for tag in tags:
        yield "lead_tag", {"lead_id": each + 1, "tag": tag, "at": _at(each), "source": ""}
    yield "lead_offer", {"lead_id": each + 1, "offer": offer, "at": _at(each)}
    for kind, share in DID.items():
        if chance.random() < share:
            name = "/offers/guide/" if kind == "visited" else offer
            yield "lead_fact", {"lead_id": each + 1, "ref": f"{kind}:{each + 1}", "kind": kind, "name": name,
                                "at": _at(each), "value": 0.0}
    for word in words_of([email], [f"{first} {last}", company]):
        yield "lead_word", {"lead_id": each + 1, "word": word}


def fill(url: str, number: int) -> None:
    """Put the crowd into a migrated, empty database, and let the engine count what it holds."""
    given = rows(number)
    while some := list(islice(given, 400_000)):
        tables: dict[str, list[Row]] = {}
        for table, row in some:
            tables.setdefault(table, []).append(row)
        in_order = [(table, tables[table]) for table in TABLES if table in tables]
        if url.startswith("sqlite"):
            _into_sqlite(url.removeprefix("sqlite:///"), in_order)
        else:
            _into_postgres(url, in_order)
    _analyze(url)


def _into_sqlite(path: str, tables: Iterable[tuple[str, list[Row]]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        connection.execute("BEGIN IMMEDIATE")
        for table, some in tables:
            known = {name: _plainest(kind, required) for _, name, kind, required, _, key
                     in connection.execute(f"PRAGMA table_info({table})") if not (key and name == "id")}
            names = list(dict.fromkeys(chain(some[0], known)))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})",
                (known | row for row in some))
        connection.execute("COMMIT")


def _into_postgres(url: str, tables: Iterable[tuple[str, list[Row]]]) -> None:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        for table, some in tables:
            known = {name: _plainest(kind, required == "NO") for name, kind, required in connection.execute(
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = %s",
                (table,)) if name != "id"}
            names = list(dict.fromkeys(chain(some[0], known)))
            with connection.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in some:
                    whole = known | row
                    copy.write_row([whole[name] for name in names])


def _plainest(kind: str, required: bool) -> Any:
    """The plainest value that a column takes, for those that a row does not name."""
    if not required:
        return None
    kind = kind.upper()
    if "BOOL" in kind:
        return False
    return 0 if "INT" in kind or "FLOAT" in kind or "DOUBLE" in kind else "{}" if "JSON" in kind else ""


def _analyze(url: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute("PRAGMA analysis_limit=1000")  # as the worker does daily
            connection.execute("ANALYZE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        for table in ("account", "lead"):  # whose numbers were given, not drawn
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        connection.execute("VACUUM ANALYZE")
