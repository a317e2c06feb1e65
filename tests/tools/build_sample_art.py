"""Turn the sample site's drawings (``content/_art/*.svg``) into the pictures that its pages show.

The sample ships finished pictures. Run this after a change to a drawing, from the project's root:

    python tests/tools/build_sample_art.py

Needs WeasyPrint and Pillow (dev requirements), ``pdftoppm`` (Debian: ``poppler-utils``), and the fonts that
``build_sample_book.py`` names.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from weasyprint import HTML

PICTURES = {  # drawing -> picture and its width in pixels
    "street": ("street.avif", 1200),
    "boiler": ("boiler.avif", 1200),
    "meter": ("meter.avif", 1200),
    "draughty-room": ("draughty-room.avif", 1200),
    "heat-pump": ("heat-pump.avif", 1200),
    "heat-loss": ("heat-loss.avif", 960),
    "flow-curve": ("flow-curve.avif", 960),
    "ines": ("ines.avif", 320),
    "tom": ("tom.avif", 320),
}


def draw(svg: Path, width: int) -> Image.Image:
    """The drawing as an image ``width`` pixels wide."""
    with tempfile.TemporaryDirectory() as scratch:
        pdf = Path(scratch) / "page.pdf"
        size = svg.read_text(encoding="utf-8").split('viewBox="0 0 ')[1].split('"')[0].split()
        css = f"@page {{ size: {size[0]}px {size[1]}px; margin: 0 }} body {{ margin: 0 }} img {{ display: block }}"
        HTML(string=f'<style>{css}</style><img src="{svg.resolve().as_uri()}">').write_pdf(pdf)
        page = pdf.with_suffix("")
        subprocess.run(
            ["pdftoppm", "-png", "-singlefile", "-scale-to-x", str(width), "-scale-to-y", "-1", pdf, page],
            check=True,
        )
        return Image.open(page.with_suffix(".png")).convert("RGB")


def main() -> None:
    """Draw every picture and say how large it became."""
    for name, (picture, width) in PICTURES.items():
        target = Path("content/images") / picture
        image = draw(Path("content/_art") / f"{name}.svg", width)
        if target.suffix == ".png":
            image.quantize(64).save(target, optimize=True)
        else:
            image.save(target, quality=62, speed=2)
        sys.stdout.write(f"{target}: {image.width} x {image.height}, {target.stat().st_size / 1000:.1f} kB\n")


if __name__ == "__main__":
    main()
