"""The door for machines: its schema, its errors, its speed and what it costs to import."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import handsel
from handsel.cli import group
from handsel.experiments.evaluate import RequestError, answers, evaluate

SCHEMA = json.loads((Path(handsel.__file__).parent / "experiments" / "evaluate.schema.json").read_text())
REQUEST: dict[str, Any] = {
    "plan": {"baseline": 0.03, "mde": 0.2, "alpha": 0.05, "power": 0.8, "weights": [0.5, 0.5], "value_cap": None},
    "periods": [{"weights": [0.5, 0.5], "from": "2026-01-01T00:00:00Z", "to": None}],
    "counts": [[0, 0, 9000, 270, 0, 0], [0, 1, 9010, 380, 0, 0]],
    "look": "daily", "state": None, "now": "2026-01-09T00:00:00Z",
}


def shape(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def changed(*path: Any, to: Any) -> dict[str, Any]:
    request = copy.deepcopy(REQUEST)
    at: Any = request
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return request


def test_the_schema_is_one_and_the_request_of_the_manual_fits() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    shape("request").validate(REQUEST)


def test_an_answer_has_the_published_shape_and_its_state_goes_back_in() -> None:
    given_once = evaluate(REQUEST)
    again = evaluate(REQUEST | {"state": given_once["state"], "now": "2026-01-20T00:00:00Z"})

    shape("answer").validate(given_once)
    assert (given_once["verdict"], given_once["variant"]) == ("winner", 1)
    assert given_once["lift"] == pytest.approx(380 / 9010 / 0.03 - 1)
    assert given_once["variants"][0] == {"rate": 0.03, "p_anytime": 1, "lift": 0, "lo": 0, "hi": 0}
    assert again["state"]["latch"] == given_once["state"]["latch"]
    assert given_once["state"]["latch"]["at"] == "2026-01-09T00:00:00Z"


def test_without_plan_and_times_little_is_needed() -> None:
    found = evaluate({"periods": [{"weights": [50, 50]}], "counts": []})

    shape("answer").validate(found)
    assert (found["verdict"], found["lift"], found["lo"], found["hi"]) == ("none", None, -1, None)


@pytest.mark.parametrize(("request_", "path", "reason"), [
    ([], "", "must be an object"),
    ({"counts": []}, "/periods", "is missing"),
    (changed("extra", to=1), "/extra", "is not known"),
    (changed("a/b~c", to=1), "/a~1b~0c", "is not known"),
    (changed("plan", "baseline", to="3 %"), "/plan/baseline", "must be a number"),
    (changed("plan", "baseline", to=3), "/plan/baseline", "between 0 and 1"),
    (changed("plan", "mde", to=0), "/plan/mde", "more than 0"),
    (changed("plan", "power", to=1), "/plan/power", "between alpha and 1"),
    (changed("plan", "mde", to=True), "/plan/mde", "must be a number"),
    (changed("plan", "value_cap", to=0), "/plan/value_cap", "more than 0"),
    (changed("plan", "weights", to=[1, 1, 1]), "/plan/weights", "the periods have 2 variants"),
    (changed("periods", to=[]), "/periods", "1 to"),
    (changed("periods", 0, "weights", to=[1]), "/periods/0/weights", "2 to 12"),
    (changed("periods", 0, "weights", to=[0, 0]), "/periods/0/weights", "must not all be 0"),
    (changed("periods", 0, "weights", 1, to=-1), "/periods/0/weights/1", "must not be negative"),
    (changed("periods", 0, "from", to="yesterday"), "/periods/0/from", "must be a time"),
    (changed("periods", 0, "to", to="2025-01-01T00:00:00Z"), "/periods/0/to", "before from"),
    (changed("counts", 0, to=[0, 0, 1]), "/counts/0", "[period, variant"),
    (changed("counts", 1, 1, to=2), "/counts/1/1", "between 0 and 1"),
    (changed("counts", 1, 1, to=0), "/counts/1", "twice"),
    (changed("counts", 0, 2, to=1.5), "/counts/0/2", "whole number"),
    (changed("counts", 0, 2, to=-1), "/counts/0/2", "between 0 and"),
    (changed("counts", 0, 3, to=9001), "/counts/0/3", "more than the visitors"),
    (changed("counts", 0, 4, to=10), "/counts/0/5", "too small"),
    (changed("counts", 0, 5, to=1e300), "/counts/0/5", "too large"),
    (changed("look", to="hourly"), "/look", "visitor"),
    (changed("now", to=5), "/now", "must be a time"),
    (changed("state", to={}), "/state/look", "is missing"),
])
def test_a_fault_is_named_with_its_path_and_reason(request_: Any, path: str, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        evaluate(request_)

    assert caught.value.path == path
    assert reason in caught.value.reason


@pytest.mark.parametrize(("key", "value", "path"), [
    ("log_e", [], "/state/log_e"), ("crossed", [2], "/state/crossed/0"), ("finished", [0], "/state/finished/0"),
    ("latch", {"verdict": "none"}, "/state/latch/variant"), ("full_at", "x", "/state/full_at"),
])
def test_a_state_that_was_tampered_with_is_refused(key: str, value: Any, path: str) -> None:
    state = evaluate(REQUEST)["state"] | {key: value}
    with pytest.raises(RequestError) as caught:
        evaluate(REQUEST | {"state": state})

    assert caught.value.path == path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**13) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=5)
places = st.sampled_from([
    ("plan",), ("plan", "baseline"), ("plan", "mde"), ("plan", "weights"), ("plan", "alpha"), ("periods",),
    ("periods", 0), ("periods", 0, "weights", 0), ("counts",), ("counts", 0), ("counts", 0, 0), ("counts", 1, 2),
    ("counts", 1, 5), ("look",), ("state",), ("now",)])


@settings(deadline=None, max_examples=300)
@given(place=places, value=json_values)
def test_whatever_stands_anywhere_gives_an_answer_or_a_named_fault(place: tuple[Any, ...], value: Any) -> None:
    request = changed(*place, to=value)
    ((good, line),) = answers([json.dumps(request).encode()])

    shape("answer" if good else "error").validate(json.loads(line))
    if good:
        shape("request").validate(request)


@pytest.mark.parametrize("line", [
    b"{", b"\xff\xfe", b'{"periods": NaN}', b"[" * 100_000, b"1" * 5000, b'{"plan": 1e999}',
])
def test_a_line_that_is_no_json_is_an_error_and_the_next_goes_on(line: bytes) -> None:
    (bad, first), (good, _) = answers([line, b"  \n", json.dumps(REQUEST).encode()])

    assert (bad, good) == (False, True)
    assert json.loads(first)["error"]["line"] == 1


def test_the_command_answers_all_lines_and_exits_with_one_after_a_bad_one() -> None:
    lines = [json.dumps(REQUEST), json.dumps(changed("look", to="x")), json.dumps(REQUEST)]
    clean = CliRunner().invoke(group, ["experiment", "evaluate"], input=lines[0])
    found = CliRunner().invoke(group, ["experiment", "evaluate"], input="\n".join(lines))

    assert clean.exit_code == 0
    assert found.exit_code == 1
    told = [json.loads(line) for line in found.output.splitlines()]
    assert told[0] == told[2] == json.loads(clean.output)
    assert told[1] == {"error": {"line": 2, "path": "/look", "reason": 'must be "visitor" or "daily"'}}


def test_each_line_is_answered_before_the_next_is_written() -> None:
    command = [sys.executable, "-m", "handsel", "experiment", "evaluate"]
    environment = os.environ | {"PYTHONPATH": str(Path(handsel.__file__).parents[1]), "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as door:
        assert door.stdin is not None
        assert door.stdout is not None
        for _ in range(2):
            door.stdin.write(json.dumps(REQUEST) + "\n")
            door.stdin.flush()
            assert json.loads(door.stdout.readline())["verdict"] == "winner"
        door.stdin.close()

    assert door.returncode == 0


def test_the_command_prints_its_schema() -> None:
    assert json.loads(CliRunner().invoke(group, ["experiment", "evaluate", "--schema"]).output) == SCHEMA


def test_the_calculator_speaks_in_sentences_and_in_json() -> None:
    arguments = ["experiment", "plan", "--baseline", ".1", "--mde", ".3", "--weekly-visitors", "2000"]

    assert CliRunner().invoke(group, arguments).output == (
        "To find +30 % (from 10 % to 13 %) in 80 % of tests:\n"
        "  1,776 visitors a variant, 3,552 in all\n"
        "  13 days at 2,000 visitors a week, so 2 full weeks\n"
        "  Run it for 2 full weeks, whatever you see on the way.\n")
    assert json.loads(CliRunner().invoke(group, [*arguments, "--json"]).output)["visitors"] == [1776, 1776]
    wrong = CliRunner().invoke(group, ["experiment", "plan", "--baseline", "3", "--mde", ".2"])
    assert wrong.exit_code == 1
    assert "These numbers describe no test: the baseline must lie between 0 and 1" in wrong.output


@pytest.mark.parametrize("visitors", ["0", "-5", "inf", "nan"])
def test_the_calculator_wants_a_number_of_visitors_that_there_can_be(visitors: str) -> None:
    wrong = CliRunner().invoke(group, ["experiment", "plan", "--baseline", ".1", "--mde", ".3",
                                       "--weekly-visitors", visitors])

    assert wrong.exit_code == 1
    assert "the weekly visitors must be a number of more than 0" in wrong.output


def test_a_million_visitors_in_six_variants_are_judged_by_closed_testing() -> None:
    found = evaluate({"plan": None, "periods": [{"weights": [1] * 6}],
                      "counts": [[0, arm, 166_000 + arm, 5000 + 30 * (arm == 3) * 20, 0, 0] for arm in range(6)]})

    assert (found["verdict"], found["variant"]) == ("winner", 3)
    assert [arm["p_anytime"] < 0.05 for arm in found["variants"]] == [False, False, False, True, False, False]


PROBE = """
import sys, tracemalloc
tracemalloc.start()
import handsel.experiments.evaluate
taken = tracemalloc.get_traced_memory()[1]
from handsel.experiments.evaluate import evaluate
evaluate({"plan": {"baseline": .1, "mde": .2}, "periods": [{"weights": [1, 1]}], "counts": [[0, 0, 900, 90, 0, 0]]})
print(taken / 2**20, *({"numpy", "scipy", "flask", "sqlalchemy", "pydantic"} & set(sys.modules)))
"""


def test_the_import_takes_two_mebibytes_at_most_and_nothing_heavy(tmp_path: Path) -> None:
    """With compiled files, as an installed package has them: the second process finds those of the first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONPATH": str(Path(handsel.__file__).parents[1])}
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True,
                              check=True)
        mebibytes, *heavy = done.stdout.split()

    assert heavy == []
    assert float(mebibytes) <= 2
