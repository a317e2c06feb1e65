"""Blocks that lead somewhere: hero, cover, form, call to action, author, gate, video. They become slots."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from handsel.content.blocks.kinds import Block, Option, Work, block, name_as, replace, wrap

SLUG = Option("slug")


@block(
    "hero",
    """\
//// hero

Free guide · PDF

# A promise in ==one line==

Two sentences on what the reader will have afterwards.

/// cover
///

////""",
    offer=SLUG,
    form=Option("bool"),
)
def hero(root: Element, block: Block, work: Work) -> None:
    """The opening: small line, h1 and lead on one side, cover and form beside them."""
    words = list(root)
    aside = [child for child in words if _slot_kind(child, work) in {"cover", "form"} or _is_picture(child)]
    words = [child for child in words if child not in aside]
    heads = [at for at, child in enumerate(words) if child.tag == "h1"]
    at = heads[0] if heads else 0
    for before in words[:at]:
        if before.tag == "p":
            before.set(work.mark, "kicker")
    after = next((child for child in words[at + 1 if heads else 0 :] if child.tag == "p"), None)
    if after is not None:
        after.set(work.mark, "lead")
    wants_form = block.options.get("form", bool(work.default_form))
    forms = [child for child in aside if _slot_kind(child, work) == "form"]
    if wants_form and not forms and not work.letter:
        named = block.options.get("offer", work.offer)
        forms = [work.slot("form", block.line, form=work.default_form, offer=named)]
    rest = [child for child in aside if child not in forms]
    for child in rest:
        if _is_picture(child):
            name_as(child, child.tag, work, "hero-picture")
    name_as(root, "div", work, _hero_look(forms, rest))
    replace(root, [wrap("div", words, work, "hero-words"), *forms, *rest])


def _hero_look(forms: list[Element], rest: list[Element]) -> str:
    """The hero's trusted classes, by what stands beside its words."""
    if not forms and not rest:
        return "hero"
    if forms:
        return "hero hero--two hero--both" if rest and not _is_picture(rest[0]) else "hero hero--two"
    return "hero hero--two hero--picture" if _is_picture(rest[0]) else "hero hero--two hero--cover"


@block("cover", "/// cover\n///", argument="the offer's short name", title=Option(), subtitle=Option(), author=Option())
def cover(root: Element, block: Block, work: Work) -> None:
    """The offer's cover: uploaded, or drawn from its title."""
    _become(
        root,
        work.slot(
            "cover",
            block.line,
            offer=block.argument or work.offer,
            **{name: block.options.get(name) for name in ("title", "subtitle", "author")},
        ),
    )


@block("form", "/// form | short\n///", argument="the form's name", button=Option(), offer=SLUG)
def form(root: Element, block: Block, work: Work) -> None:
    """A capture form where it stands."""
    name = block.argument or (None if block.options.get("offer") else work.default_form)
    _become(
        root,
        work.slot(
            "form",
            block.line,
            form=name,
            button=block.options.get("button"),
            offer=block.options.get("offer", work.offer),
        ),
    )


@block(
    "cta",
    "/// cta | Get the guide\n    offer: home-energy-guide\n\nOne sentence on why now.\n///",
    argument="the words on the button",
    needed=True,
    letters=True,
    offer=SLUG,
    look=Option(choices=("solid", "quiet")),
)
def cta(root: Element, block: Block, work: Work) -> None:
    """A call to action: the words of its body, and a button to the form on this page or to the offer's landing page."""
    offer = block.options.get("offer", work.offer)
    look = block.options.get("look", "solid")
    if offer is None:
        work.fault(
            block.line,
            "cta-without-offer",
            "This call to action leads nowhere.",
            "Add an indented line `offer: ` with the offer's short name below it.",
        )
        name_as(root, "div", work, "cta")
        return
    if work.letter:
        button = Element("a", {"href": f"{{{{ site_url }}}}/offers/{offer}/", work.mark: "button"})
        button.text = block.argument
        root.append(wrap("p", [button], work))
        root.tag = "div"
        return
    name_as(root, "div", work, "cta" if len(root) else "cta cta--bare")
    root.append(work.slot("cta", block.line, label=block.argument, offer=offer, look=look))


@block("author", "/// author | ines\n///", argument="the author's key in _site.yml", needed=True)
def author(root: Element, block: Block, work: Work) -> None:
    """Who wrote it, from ``authors`` in _site.yml."""
    _become(root, work.slot("author", block.line, key=block.argument))


@block(
    "gate",
    "/// gate | home-energy-guide\n\nThe first lines, which everyone may read.\n///",
    argument="the offer's short name",
    needed=True,
)
def gate(root: Element, block: Block, work: Work) -> None:
    """A teaser and the form that opens the rest."""
    name_as(root, "div", work, "gate")
    teaser = wrap("div", list(root), work, "gate-words")
    replace(root, [teaser, work.slot("gate", block.line, offer=block.argument)])


@block(
    "video",
    "/// video | How to bleed a radiator\n    youtube: abcdefghijk\n    poster: /images/radiator.avif\n///",
    argument="the title",
    needed=True,
    src=Option("target"),
    poster=Option("target"),
    captions=Option("target"),
    youtube=Option("code"),
    duration=Option(),
)
def video(root: Element, block: Block, work: Work) -> None:
    """A film of our own in the browser's player, or a link to one elsewhere: nothing is loaded from there."""
    options = block.options
    if not options.get("src") and not options.get("youtube"):
        work.fault(
            block.line, "missing-option", "The block 'video' has neither `src` nor `youtube`.", "Add one of them."
        )
    name_as(root, "div", work, "video")
    root.insert(0, work.slot("video", block.line, title=block.argument, **options))


def _become(root: Element, slot: Element) -> None:
    """Put ``slot`` in the place of the block; its body, if someone wrote one, goes on standing after it."""
    if len(root):
        root.insert(0, slot)
        return
    root.attrib = slot.attrib
    root.tag = slot.tag


def _is_picture(child: Element) -> bool:
    """Whether the element holds one picture and nothing else."""
    if child.tag == "p" and len(child) == 1 and not (child.text or "").strip() and not (child[0].tail or "").strip():
        return child[0].tag == "img"
    return child.tag == "figure"


def _slot_kind(child: Element, work: Work) -> str:
    number = child.get(work.place)
    return work.slots[int(number)].kind if number else ""
