"""A guide of a few chapters in a project, and a look into its editions."""

from __future__ import annotations

from pathlib import Path

PIXEL = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
         b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82")
WELCOME = """---
title: "Before you begin: a word"
numbered: false
---
You need **ten minutes** & a chair. Read [the bill](02-bill.md#the-unit) first, then [our blog](/blog/first-post/).
"""
BILL = """# Read *your* bill

A bill says four things.[^1] Look for ==kWh==.

## The unit

![A meter on a wall](meter.png)

| What | Price |
|------|------:|
| Gas  | 6p    |

Table: What things cost.

/// note | Safety
    kind: warn

Leave the meter's seal alone.
///

- [ ] I have read the meter

[^1]: Or five.
"""


def write_guide(project: Path, name: str = "guide", *, own_pdf: bool = False) -> Path:
    """Two chapters and a picture as the asset of the sample's offer; the folder they lie in."""
    folder = project / "offers" / "guide" / name
    folder.mkdir()
    (folder / "01-welcome.md").write_text(WELCOME)
    (folder / "02-bill.md").write_text(BILL)
    (folder / "meter.png").write_bytes(PIXEL)
    offer = project / "offers" / "guide" / "offer.md"
    offer.write_text(offer.read_text().replace("asset: guide.pdf", f"asset: {name}/"))
    if not own_pdf:
        (project / "offers" / "guide" / "guide.pdf").unlink()
    return folder


def edition(project: Path, kind: str) -> Path:
    """The one edition of that kind that was printed."""
    found = list((project / "instance" / "books" / "guide").glob(f"*/book.{kind}"))
    assert len(found) == 1, found
    return found[0]
