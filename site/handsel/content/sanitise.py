"""The sanitiser: what HTML an author may write, and the two attributes of ours that pass beside it."""

from __future__ import annotations

import re

import nh3

from handsel.content.blocks.kinds import Work

# fmt: off
TAGS = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "dfn", "div", "dl",
    "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var",
})
# fmt: on
ATTRIBUTES = {
    tag: frozenset(names.split())
    for tag, names in {
        "*": "lang dir",
        "a": "href title",
        "abbr": "title",
        "details": "open",
        "img": "src alt title width height",
        "li": "value id",
        "ol": "start reversed",
        "sup": "id",
        "td": "align colspan rowspan",
        "th": "align colspan rowspan scope",
        "time": "datetime",
        **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "id"),
    }.items()
}
EMPTIED = frozenset(
    {"script", "style", "template", "title", "textarea", "select", "iframe", "noscript", "xmp", "svg", "math", "object"}
)
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_ALIGN = re.compile(r'(<t[dh][^>]*?) align="(?:(right)|(center)|\w+)"')


def sanitise(raw: str, work: Work, secret: str) -> str:
    """``raw`` with nothing in it that runs, loads, frames, posts or styles.

    ``work.mark`` and ``work.place`` pass: they are our own and cannot be guessed. ``secret`` is what blocks were called
    in the Markdown; where it is still to be read, a block stood inside raw HTML, which is a fault.
    """
    attributes = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    attributes["*"] |= {work.mark, work.place}
    clean = nh3.clean(
        raw,
        tags=set(TAGS),
        attributes=attributes,
        clean_content_tags=set(EMPTIED),
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    if secret in clean:
        line = next((block.line for n, block in enumerate(work.blocks) if f"{secret} | {n}" in clean), 0)
        work.fault(line, "block-in-html", "A block stands inside raw HTML and is not read.", "Move it out of the HTML.")
        clean = re.sub(rf"/{{3,}} {secret} \| \d+", "", clean)

    def aligned(found: re.Match[str]) -> str:
        name = "end" if found[2] else "middle" if found[3] else ""
        return f'{found[1]} {work.mark}="{name}"' if name else found[1]

    return _ALIGN.sub(aligned, clean).replace("<pre>", f'<pre {work.mark}="code">')
