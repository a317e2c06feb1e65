"""Build the sample offers' PDF books from their Markdown chapters.

The sample ships finished PDFs, so nobody needs this to run Handsel. Run it after a change to a chapter, from the
project's root:

    python tests/tools/build_sample_book.py offers/heat-pump-whitepaper/paper

``offers/home-energy-guide/guide.pdf`` is not made here: it is what Handsel itself prints of ``guide/`` on a machine
with the fonts named below (``instance/books/``), kept so that machines without WeasyPrint give it too.

Each folder holds numbered chapters (``01-….md``) and a ``book.css``. Title, subtitle, author, language and the name of
the PDF come from ``offer.md`` one level up, or in the folder that is named after an equals sign. A book of one chapter
is a sheet without cover and contents: the checklist that ``handsel init`` gives away is made by

    offer=site/handsel/starter/offers/landing-page-checklist
    python tests/tools/build_sample_book.py tests/tools/starter-checklist=$offer

The same chapters give the same bytes.

Needs WeasyPrint (in the dev requirements) and, on Debian, ``apt-get install libpango-1.0-0 libpangoft2-1.0-0
libharfbuzz-subset0 fonts-vollkorn fonts-lato``. Look at the pages afterwards: ``pdftoppm -r 60 -png guide.pdf page``
(``poppler-utils``).
"""

import hashlib
import re
import sys
from html import escape
from pathlib import Path
from urllib.parse import quote

import frontmatter
import markdown
from weasyprint import HTML

EXTENSIONS = ["tables", "attr_list", "md_in_html", "smarty", "sane_lists", "pymdownx.tasklist"]
CHAPTER = re.compile(r"<h1(?P<attributes>[^>]*)>(?P<heading>.*?)</h1>", re.S)
TABLE = re.compile(r"<table.*?</table>", re.S)
UNIT = re.compile(r"(\d) (°C|kWh|kW|mm|cm|m²|watts|litres|per cent|degrees)")
CAPTION = re.compile(r"(<table[^>]*>)(.*?</table>)\s*<p>Table: (.*?)</p>", re.S)


def sheet(table: re.Match[str]) -> str:
    """The table, marked as a sheet to write on if most of its cells are empty."""
    empty = table[0].count("<td></td>")
    return table[0].replace("<table", '<table class="sheet"', 1) if empty * 2 > table[0].count("<td") else table[0]


def chapter_html(text: str, number: int) -> tuple[str, str, bool]:
    """One chapter as a section, its heading as plain words, and whether it counts in the numbering."""
    text = UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", text)
    body = markdown.markdown(text, extensions=EXTENSIONS, output_format="html")
    body = CAPTION.sub(r"\1<caption>\3</caption>\2", body)
    body = TABLE.sub(sheet, body)
    match = CHAPTER.search(body)
    if match is None:
        raise SystemExit("A chapter has no heading. Begin each file with a line such as: # Draughts first")
    counted = "unnumbered" not in match["attributes"]
    heading = f'<h1 id="chapter-{number}"{" class=numbered" if counted else ""}>{match["heading"]}</h1>'
    body = body[: match.start()] + heading + body[match.end() :]
    return f'<section class="chapter">{body}</section>', re.sub(r"<[^>]+>", "", match["heading"]), counted


def book_html(folder: Path, offer_folder: Path) -> tuple[str, Path]:
    """The whole book as one page of HTML, and the path of the PDF it belongs to."""
    offer = frontmatter.load(str(offer_folder / "offer.md"))
    cover = offer["cover"]
    chapters = [
        chapter_html(path.read_text(encoding="utf-8"), number)
        for number, path in enumerate(sorted(folder.glob("[0-9]*.md")))
    ]
    lines, counted_so_far = [], 0
    for number, (_, heading, counted) in enumerate(chapters):
        counted_so_far += counted
        label = counted_so_far if counted else ""
        lines.append(f'<li><span class="number">{label}</span><a href="#chapter-{number}">{heading}</a></li>')
    waves = "".join(
        f'<path d="M0 {y}c40-46 76-46 118 0s78 46 118 0 76-46 118 0 78 46 118 0" fill="none" stroke="#f9fdfb"'
        f' stroke-opacity=".62" stroke-width="2"/>'
        for y in (34, 62, 90, 118, 146)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 472 182">{waves}</svg>'
    front = f"""<div class="cover"><div class="spine"></div><div class="small">Warmhouse</div>
<div class="title">{escape(cover["title"])}</div><div class="subtitle">{escape(cover["subtitle"])}</div>
<img alt="" src="data:image/svg+xml,{quote(svg)}">
<div class="author">{escape(cover["author"])}</div></div>
<nav class="contents"><div class="book-title">{escape(cover["title"])}</div><h2>Contents</h2>
<ol>{"".join(lines)}</ol></nav>"""
    page = f"""<!doctype html>
<html lang="{escape(offer.get("language", "en"))}"><head><meta charset="utf-8">
<title>{escape(cover["title"])}</title>
<meta name="author" content="{escape(cover["author"])}">
<meta name="description" content="{escape(offer["summary"])}">
<meta name="keywords" content="{escape(", ".join(offer["tags"]))}">
<meta name="generator" content="Handsel sample book">
<link rel="stylesheet" href="book.css"></head><body>
{front if len(chapters) > 1 else ""}
{"".join(section for section, _, _ in chapters)}
</body></html>"""
    return page, offer_folder / offer["asset"]


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    for name in sys.argv[1:]:
        folder, _, offer_folder = name.partition("=")
        page, pdf = book_html(Path(folder), Path(offer_folder) if offer_folder else Path(folder).parent)
        document = HTML(string=page, base_url=str(Path(folder).resolve()) + "/").render(pdf_variant="pdf/ua-1")
        identifier = hashlib.sha256(page.encode()).digest()[:16]
        document.write_pdf(pdf, pdf_variant="pdf/ua-1", pdf_identifier=identifier)
        sys.stdout.write(f"{pdf}: {len(document.pages)} pages, {pdf.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
