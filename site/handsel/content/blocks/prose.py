"""Blocks that set words: logos, stats, features, inside, quote, faq, steps, note, figure, columns."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from handsel.content.blocks.kinds import (
    Block,
    Option,
    Work,
    block,
    first,
    grouped,
    line_of_text,
    name_as,
    replace,
    wrap,
)


def _is_h3(child: Element) -> bool:
    return child.tag == "h3"


def _needs_list(root: Element, block: Block, work: Work) -> Element | None:
    found = first(root, "ul", "ol")
    if found is None:
        work.fault(
            block.line,
            "block-without-list",
            f"The block '{block.name}' holds no list.",
            "Write its items as lines that begin with `- `.",
        )
    return found


@block("logos", "/// logos | Used by\n\n- Harbour Works\n- Northmill\n///", argument="the line above them")
def logos(root: Element, block: Block, work: Work) -> None:
    """Names or pictures of those who trust us."""
    name_as(root, "div", work, "logos")
    _needs_list(root, block, work)
    if block.argument:
        root.insert(0, work.element("p", "small", block.argument))


@block(
    "stats",
    "/// stats\n    source: Our survey of 200 homes, 2026.\n\n- **31 %** less heat through the loft\n///",
    source=Option(),
)
def stats(root: Element, block: Block, work: Work) -> None:
    """Figures with what they are; the bold words of each item are the figure."""
    name_as(root, "div", work, "figures")
    found = _needs_list(root, block, work)
    if found is None:
        return
    pairs = work.element("dl", "stats")
    for item in found.iter("li"):
        pairs.append(_stat(item, block, work))
    rest = [child for child in root if child is not found]
    replace(root, [pairs, *rest])
    if block.options.get("source"):
        line_of_text(root, "p", "small", block.options["source"], work)


def _stat(item: Element, block: Block, work: Work) -> Element:
    """One figure as a term and its value; the term comes first for readers, the style puts it where it looks best."""
    inner = item[0] if len(item) and item[0].tag == "p" and not (item.text or "").strip() else item
    figure, term = work.element("dd"), work.element("dt")
    bold = first(inner, "strong")
    if bold is None:
        said = "".join(inner.itertext()).strip()
        what = f"The item '{said[:40]}' has no figure."
        work.fault(block.line, "stat-without-figure", what, "Put it between ** and **.")
        figure.text = inner.text
        figure.extend(list(inner))
    else:
        figure.text = bold.text
        figure.extend(list(bold))
        term.text = " ".join(filter(None, [(inner.text or "").strip(), (bold.tail or "").strip()]))
        term.extend([child for child in inner if child is not bold])
    return wrap("div", [term, figure], work)


@block("features", "/// features\n\n### Read your bill\n\nFind the four numbers that matter.\n///")
def features(root: Element, block: Block, work: Work) -> None:
    """A grid of short items, each with a heading."""
    name_as(root, "div", work, "features")
    if first(root, "h3") is None:
        work.fault(block.line, "block-without-items", "The block 'features' has no item.", "Begin each with `### `.")
        return
    replace(root, [wrap("div", group, work) for group in grouped(list(root), _is_h3)])


@block("inside", "/// inside\n\n- Read your bill\n- Where the heat goes\n///")
def inside(root: Element, block: Block, work: Work) -> None:
    """The contents of a book, numbered, in two columns where there is room."""
    found = _needs_list(root, block, work)
    root.tag = "div"
    if found is not None:
        found.tag = "ol"
        found.set(work.mark, "inside")


@block(
    "quote",
    "/// quote | Marta Lindqvist\n    role: head of growth\n    company: Lindqvist & Co\n\nWhat she said.\n///",
    argument="who said it",
    letters=True,
    role=Option(),
    company=Option(),
    photo=Option("target"),
)
def quote(root: Element, block: Block, work: Work) -> None:
    """What somebody said, and who."""
    words = wrap("blockquote", list(root), work)
    words.text, root.text = root.text, None
    replace(root, [words])
    if not work.letter:
        name_as(root, "figure", work, "quote")
    else:
        root.tag = "div"
    told = ", ".join(filter(None, [block.argument, block.options.get("role")]))
    if block.options.get("company"):
        told = (
            f"{told} at {block.options['company']}"
            if block.options.get("role")
            else f"{told}, {block.options['company']}"
        )
    if not told:
        return
    caption = work.element("p" if work.letter else "figcaption")
    caption.text = told
    if block.options.get("photo") and not work.letter:
        picture = Element("img", {"src": block.options["photo"], "alt": "", work.mark: "round"})
        picture.tail, caption.text = told, None
        caption.append(picture)
    root.append(caption)


@block("faq", "/// faq\n\n### Is it free?\n\nYes.\n///")
def faq(root: Element, block: Block, work: Work) -> None:
    """Questions that open to their answers."""
    name_as(root, "div", work, "faq")
    if first(root, "h3") is None:
        work.fault(block.line, "block-without-items", "The block 'faq' has no question.", "Begin each with `### `.")
        return
    groups = grouped(list(root), _is_h3)
    replace(root, [_question(group, work) if _is_h3(group[0]) else wrap("div", group, work) for group in groups])


def _question(group: list[Element], work: Work) -> Element:
    head, answer = group[0], group[1:]
    head.tag = "summary"
    return wrap("details", [head, *answer], work)


@block("steps", "/// steps\n\n1. **Open the mail.** It arrives within a minute.\n2. **Press the button.**\n///")
def steps(root: Element, block: Block, work: Work) -> None:
    """An order to follow."""
    found = _needs_list(root, block, work)
    root.tag = "div"
    if found is not None:
        found.tag = "ol"
        found.set(work.mark, "steps")


@block(
    "note",
    "/// note | While you wait\n    kind: tip\n\nRead the number on your thermostat.\n///",
    argument="its title",
    letters=True,
    kind=Option(choices=("tip", "warn", "info")),
)
def note(root: Element, block: Block, work: Work) -> None:
    """An aside with a title."""
    kind = block.options.get("kind", "tip")
    name_as(root, "div", work, "note" if kind == "tip" else f"note note--{kind}")
    if block.argument:
        root.insert(0, work.element("p", "note-title", block.argument))


@block(
    "figure",
    "/// figure | Heat leaving a loft\n    src: /images/loft.avif\n    alt: A thermal picture of a roof\n///",
    argument="the caption",
    letters=True,
    needs=("src", "alt"),
    src=Option("target"),
    alt=Option(),
    width=Option("number"),
    height=Option("number"),
)
def figure(root: Element, block: Block, work: Work) -> None:
    """A picture with a caption."""
    attributes: dict[str, str] = {
        name: str(block.options[name]) for name in ("src", "width", "height") if name in block.options
    }
    picture = Element("img", {**attributes, "alt": block.options.get("alt", "")})
    rest = list(root)
    replace(root, [picture, *rest] if "src" in block.options else rest)
    root.tag = "div" if work.letter else "figure"
    if block.argument:
        line_of_text(root, "p" if work.letter else "figcaption", "", block.argument, work)


@block("columns", "/// columns\n\nLeft.\n\n---\n\nRight.\n///")
def columns(root: Element, block: Block, work: Work) -> None:
    """Text side by side where there is room: cut at each rule, or else at each heading."""
    name_as(root, "div", work, "columns")
    children = list(root)
    if any(child.tag == "hr" for child in children):
        groups = grouped(children, lambda child: child.tag == "hr")
        groups = [[child for child in group if child.tag != "hr"] for group in groups]
    else:
        groups = grouped(children, _is_h3)
    replace(root, [wrap("div", group, work) for group in groups if group])
