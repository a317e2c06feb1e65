"""What the manual tells people to type works as it says."""

from __future__ import annotations

import re
from pathlib import Path

from handsel.commands.init import make_project
from handsel.offers.project import check, read
from support.faulty import SAMPLE

MANUAL = Path(__file__).parents[2] / "content" / "guide"


def examples(page: str, language: str) -> list[str]:
    """The code of one language on a page of the manual."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (MANUAL / page).read_text(), re.S | re.M)


def test_the_first_offer_is_without_fault_step_by_step(tmp_path: Path) -> None:
    project = tmp_path / "my-site"
    make_project(project)
    offer = project / "offers" / "moving-checklist"
    (offer / "emails").mkdir(parents=True)
    (offer / "checklist.pdf").write_bytes((SAMPLE / "offers" / "guide" / "guide.pdf").read_bytes())
    texts = examples("first-offer.md", "markdown")
    for name, text in zip(["offer.md", "landing.md", "thanks.md", "emails/00-delivery.md"], texts, strict=True):
        (offer / name).write_text(text)

    assert check(project) == []

    offer_file, experiment = offer / "offer.md", examples("first-offer.md", "yaml")[0]
    offer_file.write_text(offer_file.read_text().replace("tags: [moving]\n", f"tags: [moving]\n{experiment}"))
    landing = (offer / "landing.md").read_text()
    (offer / "landing.b.md").write_text(f"{landing}\nAsk today, and tick the first box tonight.\n")

    assert check(project) == []
    assert read(project).offers["moving-checklist"].split == {"a": 50, "b": 50}


def test_the_slip_in_the_first_offer_reads_as_shown(tmp_path: Path) -> None:
    project = tmp_path / "my-site"
    make_project(project)
    offer = project / "offers" / "moving-checklist"
    offer.mkdir(parents=True)
    (offer / "offer.md").write_text(examples("first-offer.md", "markdown")[0].replace("form: short", "form: shrot"))

    assert examples("first-offer.md", "text")[0].strip() in map(str, check(project))


def test_the_form_of_the_manual_is_a_form(project: Path) -> None:
    whole, button, cookie = [text for text in examples("forms.md", "yaml") if "consents:" in text]
    (project / "forms" / "wording" / "recognition.md").write_text(
        next(text for text in examples("forms.md", "markdown") if "cookie" in text))
    form = project / "forms" / "short.yml"
    form.write_text(whole.replace("submit:", cookie.removeprefix("consents:\n") + "submit:"))
    newsletter = project / "forms" / "newsletter.yml"
    newsletter.write_text(re.sub(r"consents:\n.*\n", button, newsletter.read_text()))

    assert check(project) == []


def test_the_front_matter_of_the_manual_is_complete() -> None:
    from handsel.content.schema import PageMeta
    from handsel.content.validate import names

    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", (MANUAL / "writing-pages.md").read_text(), re.M)
    told = {name for row in rows for name in re.findall(r"[a-z_]+", row)}

    assert told >= set(names(PageMeta))


def test_the_block_of_a_test_in_the_manual_is_one_and_all_its_keys_are_told(project: Path) -> None:
    from handsel.content.validate import names
    from handsel.offers.schema import GOALS, ExperimentSpec

    offer = project / "offers" / "guide" / "offer.md"
    offer.write_text(re.sub(r"experiment:\n(  .*\n)+", examples("experiments.md", "yaml")[0], offer.read_text()))
    told = {name for row in re.findall(r"^\| (`[a-z_`, ]+`) \|", (MANUAL / "experiments.md").read_text(), re.M)
            for name in re.findall(r"[a-z_]+", row)}

    assert (check(project), read(project).offers["guide"].runs) == ([], True)
    assert told >= {*names(ExperimentSpec), *GOALS}


def test_the_request_of_the_manual_gets_a_verdict() -> None:
    from handsel.experiments.evaluate import answers

    ((good, line),) = answers([examples("experiments.md", "json")[0].encode()])

    assert good
    assert '"verdict": "winner"' in line
