"""The program's own edits of marketers' files: one block of a front matter, and several files as one act."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import HandselError
from handsel.offers.project import check, read
from handsel.offers.writing import Act, Change, checked, edited, unwritable

FILE = "offers/guide/offer.md"
BLOCK = {"goal": "capture", "split": {"a": 50, "b": 50}, "baseline": 0.031, "mde": 0.2, "shifting": True,
         "hypothesis": 'Shorter: "better" # for all'}
WRITTEN = ("experiment:\n  goal: capture\n  split: {a: 50, b: 50}\n  baseline: 0.031\n  mde: 0.2\n  shifting: true\n"
           "  hypothesis: 'Shorter: \"better\" # for all'\n")


def head(*lines: str, end: str = "\n", body: str = "The brief.\n") -> bytes:
    return end.join(["---", *lines, "---", body.replace("\n", end)]).encode()


def test_a_block_is_added_at_the_end_of_the_front_matter() -> None:
    before = head("# why we have it", "title:   The guide  # short", "tags: [a,   b]", "", "# the end")

    assert edited(FILE, before, BLOCK) == before.replace(b"# the end\n", b"# the end\n" + WRITTEN.encode())


def test_a_block_goes_with_the_comments_within_it_and_nothing_else() -> None:
    before = head("title: The guide", "# before", "experiment:  # the test", "  # which", "  goal: capture", "",
                  "  split:", "    a: 50", "    b: 50", "  # the last of it", "", "# after", "form: short")

    assert edited(FILE, before, None) == head("title: The guide", "# before", "", "# after", "form: short")


@pytest.mark.parametrize("block", [
    ["experiment: {goal: capture}"], ["experiment: {goal: capture,", "  split: {a: 50, b: 50}}  # one"],
    ["experiment:"], ["'experiment':", "    goal: capture", "    hypothesis: >", "      one", "", "      two", ""],
    ["experiment:", "  goal: capture", '  hypothesis: "one', '    two"'],
])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_whatever_way_a_block_is_written_it_goes_and_another_comes(block: list[str], end: str) -> None:
    before = head("title: The guide", *block, "form: short", "kind: ebook", end=end)

    assert edited(FILE, before, None).split() == head("title: The guide", "form: short", "kind: ebook").split()
    assert edited(FILE, before, BLOCK).split(b"form")[0].decode() == (
        f"---{end}title: The guide{end}" + WRITTEN.replace("\n", end) + (end if block[-1] == "" else ""))


def test_the_last_block_of_a_file_with_windows_ends_and_a_mark_goes() -> None:
    before = b"\xef\xbb\xbf" + head("title: The guide", "experiment:", "  goal: capture", end="\r\n")

    assert edited(FILE, before, None) == b"\xef\xbb\xbf" + head("title: The guide", end="\r\n")


@pytest.mark.parametrize("data", [
    b"---\n{title: The guide, experiment: {goal: capture}}\n---\n", b"No front matter.\n", b"---\ntitle: x\n",
    b"---\ntitle: [x\n---\n", b"---\nexperiment: &x {goal: capture}\ncopy: *x\n---\n",
])
def test_what_cannot_be_edited_without_touching_more_is_refused(data: bytes) -> None:
    with pytest.raises(HandselError):
        edited(FILE, data, None if b"experiment" in data else BLOCK)


words = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\u0085\ufeff"),
                min_size=1, max_size=40).filter(str.strip)


LINES = ["title: x", "# note", "", "tags: [a, b]", "cover: {title: y}", "summary: |\n  one\n  two",
         "emails:\n  - one # first\n  - two", "kind: ebook   # the kind"]


@given(st.lists(st.sampled_from(LINES), unique=True), words, st.sampled_from(["\n", "\r\n"]))
def test_what_was_added_can_be_taken_out_again_and_all_is_as_before(lines: list[str], hypothesis: str,
                                                                    end: str) -> None:
    before = head(*"\n".join(lines).split("\n"), end=end)

    added = edited(FILE, before, {**BLOCK, "hypothesis": hypothesis})

    assert edited(FILE, added, None) == before


def test_an_outcome_with_a_fault_is_refused_before_anybody_sees_it(project: Path) -> None:
    found = read(project)
    before = (project / FILE).read_bytes()

    with pytest.raises(HandselError, match="That would leave a fault: There is no variant 'c'"):
        checked(found, [Change(FILE, before, before.replace(b"{a: 50, b: 50}", b"{a: 50, b: 30, c: 20}"))])

    assert (project / FILE).read_bytes() == before


def test_what_was_wrong_before_does_not_stand_in_the_way(project: Path) -> None:
    page = project / "content" / "privacy.md"
    page.write_text(page.read_text().replace("title:", "titel:"))
    before = (project / FILE).read_bytes()

    after = checked(read(project), [Change(FILE, before, edited(FILE, before, None))])

    assert (after.offers["guide"].split, len(after.faults)) == ({"a": 100}, 2)


def test_a_written_file_keeps_its_rights_and_leaves_nothing_beside_it(project: Path) -> None:
    path = project / FILE
    path.chmod(0o664)
    before = path.read_bytes()

    Act(project, [Change(FILE, before, edited(FILE, before, None))]).do()

    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    assert b"experiment" not in path.read_bytes()
    assert not [name for name in os.listdir(path.parent) if name.startswith(".")]


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(project: Path) -> None:
    path = project / FILE
    before = path.read_bytes()
    path.write_bytes(before + b"One more line.\n")

    with pytest.raises(HandselError, match="Somebody changed the file meanwhile"):
        Act(project, [Change(FILE, before, edited(FILE, before, None))]).do()

    assert path.read_bytes() == before + b"One more line.\n"


def test_when_one_of_several_files_cannot_be_written_none_is(project: Path) -> None:
    folder = project / "offers" / "guide"
    (folder / "taken").write_text("A file where a folder should be.")
    a, b = (folder / "landing.md").read_bytes(), (folder / "landing.b.md").read_bytes()
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    act = Act(project, [Change("offers/guide/retired/old.md", None, a), Change("offers/guide/landing.md", a, b),
                        Change("offers/guide/landing.b.md", b, None), Change("offers/guide/taken/x.md", None, a)])

    with pytest.raises(HandselError, match="cannot be written"):
        act.do()

    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == files
    assert (not (folder / "retired").exists(), check(project)) == (True, [])


def test_an_act_can_be_taken_back_whole(project: Path) -> None:
    folder = project / "offers" / "guide"
    b = (folder / "landing.b.md").read_bytes()
    act = Act(project, [Change("offers/guide/retired/b.md", None, b), Change("offers/guide/landing.b.md", b, None)])
    act.do()
    assert (folder / "retired" / "b.md").read_bytes() == b

    act.undo()

    assert (sorted(path.name for path in folder.glob("landing*")), (folder / "retired").exists()) == (
        ["landing.b.md", "landing.md"], False)


def as_somebody_without_rights(act: Act) -> str:
    """What ``act.do()`` raises in a process that may do no more than anybody; nothing is forbidden to root."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            act.do()
        except HandselError as error:
            os.write(writes, str(error).encode())
        finally:
            os._exit(0)
    os.close(writes)
    os.waitpid(child, 0)
    with os.fdopen(reads) as said:
        return said.read()


def test_a_folder_that_may_not_be_written_is_named_with_what_to_do() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "offer.md"
        path.write_text("one")
        Path(name).chmod(0o555)

        said = as_somebody_without_rights(Act(Path(name), [Change("offer.md", b"one", b"two")]))

        Path(name).chmod(0o755)
        assert path.read_text() == "one"
    assert said == ("offer.md: The file cannot be written: Permission denied. Give the user that runs Handsel the "
                    "right to write in that folder, or make the change there by hand. Nothing was changed.")


def test_a_full_disk_is_told_as_one() -> None:
    said = str(unwritable("offer.md", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    assert said == ("offer.md: The file cannot be written: No space left on device. Make room on the disk, and try "
                    "again. Nothing was changed.")
