"""What may stand in an offer's ``offer.md`` and in the front matter of its letters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, StringConstraints

from handsel.content.schema import Key, Part, Tag
from handsel.content.values import Duration, Instant, Language, Line, Mailbox, Sender, Sentence, Slug, Target

Kind = Literal["ebook", "whitepaper", "checklist", "template", "webinar", "coupon", "trial", "demo", "consultation",
               "course", "sample", "newsletter"]
KINDS: tuple[str, ...] = get_args(Kind)
WITH_FILE = frozenset({"ebook", "whitepaper", "checklist", "template", "sample"})
"""The kinds that are nothing without a file."""
Stage = Literal["iql", "mql", "sql", "pql", "service"]
LetterTest = Literal["tag", "segment"]
Delivery = Literal["email", "instant", "both", "none"]
Letter = Annotated[str, StringConstraints(pattern=r"^[a-f]$")]


class Cover(Part):
    """The words on the drawn cover."""

    title: Line
    subtitle: Line | None = None
    author: Line | None = None


Number = Annotated[float, Field(allow_inf_nan=False)]
Goal = Literal["capture", "confirmed", "mql", "sql", "value"]
GOALS: tuple[str, ...] = get_args(Goal)


class ExperimentSpec(Part):
    """A test of landing page variants against each other, as it stands in ``offer.md`` while it runs.

    ``baseline`` and ``mde`` are the plan: the control's rate (.03 is 3 %) and the smallest lift worth finding (.2 is
    +20 %); None for a test without a plan. ``value_cap`` is the most that one visitor may count, for the goal value.
    With ``shifting`` more visitors are sent to what does well, within the bounds of the test.
    """

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "goal": ("experiment-without-goal", "The experiment has no goal.", "Add `goal: capture`."),
    }
    kinds: ClassVar[dict[str, str]] = {"goal": "unknown-goal"}

    goal: Goal
    split: dict[Letter, Annotated[int, Field(ge=0, le=100)]] | None = None
    hypothesis: Sentence = ""
    baseline: Number | None = None
    mde: Number | None = None
    alpha: Number = 0.05
    power: Number = 0.8
    value_cap: Number | None = None
    shifting: bool = False

    @property
    def planned(self) -> bool:
        """Whether the test has a plan."""
        return self.baseline is not None and self.mde is not None


class Event(Part):
    """When and where a webinar is. ``url`` is where people join; they get there by a link of their own."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "starts_at": ("event-without-time", "The event does not say when it begins.",
                      "Add `starts_at: 2026-12-01 18:00`."),
    }

    starts_at: Instant
    duration: Duration = timedelta(hours=1)
    place: Line | None = None
    url: Line | None = None
    reminder: Duration | None = None

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + self.duration


class OfferMeta(Part):
    """The front matter of ``offer.md``."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "title": ("offer-without-title", "The offer has no title.", "Add `title: …` to its front matter."),
        "form": ("offer-without-form", "The offer names no form.", "Add `form: <name>` for one of forms/<name>.yml."),
    }
    kinds: ClassVar[dict[str, str]] = {"kind": "unknown-offer-kind", "split": "bad-split"}

    title: Line
    kind: Kind
    form: Slug
    asset: Line | None = None
    summary: Sentence = ""
    tags: tuple[Tag, ...] = ()
    stage: Stage = "iql"
    delivery: Delivery = "email"
    topic: Key | None = None
    cover: Cover | None = None
    event: Event | None = None
    language: Language | None = None
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    link_days: int = Field(default=7, ge=1, le=365)
    downloads: int = Field(default=5, ge=1, le=1000)
    next: Slug | None = None
    aliases: tuple[Target, ...] = ()
    experiment: ExperimentSpec | None = None


class LetterMeta(Part):
    """The front matter of one letter. ``wait`` is None for the delivery."""

    missing: ClassVar[dict[str, tuple[str, str, str]]] = {
        "subject": ("letter-without-subject", "The letter has no subject.", "Add `subject: …` to its front matter."),
    }

    subject: Line
    preheader: Line | None = None
    wait: Duration | None = None
    before: Duration | None = None
    after_event: Duration | None = None
    after: Annotated[str, StringConstraints(pattern=r"^\d{2}-[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)] | None = None
    topic: Key | None = None
    from_: Sender | None = Field(default=None, alias="from")
    reply_to: Mailbox | None = None
    only_if: dict[LetterTest, Tag] | None = None
    unless: dict[LetterTest, Tag] | None = None

    @property
    def segments(self) -> frozenset[str]:
        """The segments that decide whether it goes out."""
        tests = (self.only_if or {}, self.unless or {})
        return frozenset(name for test in tests for what, name in test.items() if what == "segment")

    @property
    def is_by_event(self) -> bool:
        """Whether it goes at a time before or after the offer's event, whenever the capture was."""
        return self.before is not None or self.after_event is not None

    @property
    def pause(self) -> timedelta:
        """``wait``, and no time at all where none is written."""
        return self.wait or timedelta()
