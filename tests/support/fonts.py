"""Small fonts with known measures, made when a test asks for one."""

from __future__ import annotations

from io import BytesIO

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.woff2 import WOFF2FlavorData

LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def woff2(letters: str = LETTERS, *, width: int = 600, serif: bool = True, typo: bool = False,
          short_metrics: bool = False) -> bytes:
    """A font of 1000 units in which every letter is a box of that width; hhea says 900/-250/0, OS/2 800/-200/100."""
    names = [".notdef", *(f"u{ord(letter):04X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): f"u{ord(letter):04X}" for letter in letters})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (400, 700), (400, 0)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, box))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (width, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-250, lineGap=0)
    builder.setupNameTable({"familyName": "Box", "styleName": "Bold"})
    builder.setupOS2(version=4, sTypoAscender=800, sTypoDescender=-200, sTypoLineGap=100, fsSelection=typo << 7)
    panose = builder.font["OS/2"].panose
    panose.bFamilyType, panose.bSerifStyle = 2, 2 if serif else 11
    builder.setupPost()
    builder.font.flavor = "woff2"
    tables = ["glyf", "loca", *(["hmtx"] if short_metrics else [])]
    builder.font.flavorData = WOFF2FlavorData(transformedTables=tables)
    made = BytesIO()
    builder.save(made)
    return made.getvalue()
