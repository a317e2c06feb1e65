"""What we ship is whole: the wheel holds all that the program reads at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
                   cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_every_file_of_the_package_is_in_the_wheel(wheel: set[str]) -> None:
    source = ROOT / "site"
    ours = {str(path.relative_to(source)) for path in (source / "handsel").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}
    assert ours - wheel == set()
    for part in ("templates/public/", "templates/desk/", "static/", "migrations/versions/0001", "starter/", "py.typed"):
        assert any(name.startswith(f"handsel/{part}") for name in wheel), part


def test_nothing_but_the_package_is_in_the_wheel(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {"handsel", "handsel-0.1.0.dist-info"}


def test_our_source_root_does_not_hide_the_site_module_of_python() -> None:
    import site

    assert not (ROOT / "site" / "__init__.py").exists()
    assert site.__spec__ is not None
    assert site.__spec__.origin == "frozen"


def test_the_lock_files_name_every_requirement_with_hashes_and_no_host() -> None:
    for name in ("base", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in line and line.endswith("\\") for line in packages), packages
        assert text.count("--hash=sha256:") >= len(packages) > 40
