"""The door for machines: one evaluation a line, JSON in and JSON out, pure from end to end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, NoReturn

from handsel.experiments.plan import PlanError, check
from handsel.experiments.state import Latch, State, as_dict
from handsel.experiments.trial import Cell, Period, Plan
from handsel.experiments.verdict import VERDICTS, Judgement, judge

MOST_VARIANTS = 12  # closed testing looks at every set of them
MOST_PERIODS = 10_000
MOST_VISITORS = 10**12  # a float counts exactly to 9e15, and squares of sums must still fit
LARGEST = 1e60  # of values, so that their squares stay finite
LEAST_VALUE = 1e-60  # of values that are not 0, so that their squares do not vanish
LEAST_WEIGHT = 1e-6  # a variant shown more rarely is a slip of the pen, and its share would vanish in rounding


class RequestError(ValueError):
    """A line that cannot be evaluated: ``path`` is a JSON pointer to the culprit, ``reason`` says what is wrong."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or '/'}: {reason}")
        self.path = path
        self.reason = reason


def evaluate(request: Any) -> dict[str, Any]:
    """The answer to one request, both as JSON values. Raises RequestError where the request breaks the schema,
    or where its numbers are too extreme to be compared."""
    body = _keys(request, "", ("periods", "counts"), ("plan", "look", "state", "now"))
    plan = _plan(body.get("plan"))
    periods = _periods(body["periods"])
    variants = len(periods[0].weights)
    if plan is not None and len(plan.weights) != variants:
        _fail("/plan/weights", f"the periods have {variants} variants, the plan {len(plan.weights)}")
    cells = _cells(body["counts"], len(periods), variants)
    look = body.get("look", "daily")
    if look not in ("visitor", "daily"):
        _fail("/look", 'must be "visitor" or "daily"')
    state, now = _state(body.get("state"), variants - 1), _time(body.get("now"), "/now")
    try:
        return answer(judge(plan, periods, cells, look=look, state=state, now=now))
    except (ArithmeticError, ValueError) as error:
        # Each number fits the schema, and yet together they leave what floating point can tell apart.
        raise RequestError("", f"the numbers are too extreme to be compared: {error}") from error


def answer(judgement: Judgement) -> dict[str, Any]:
    """A judgement as JSON values, in the shape that the schema calls the answer."""
    arm = judgement.arms[judgement.variant]
    return {
        "verdict": judgement.verdict, "variant": judgement.variant, "p_anytime": arm.p_anytime,
        "lift": arm.lift, "lo": arm.low, "hi": arm.high,
        "variants": [{"rate": each.rate, "p_anytime": each.p_anytime, "lift": each.lift, "lo": each.low,
                      "hi": each.high} for each in judgement.arms],
        "srm": {"p_anytime": judgement.split_p, "alarm": judgement.alarm},
        "reasons": list(judgement.reasons), "state": as_dict(judgement.state),
    }


def answers(lines: Iterable[bytes]) -> Iterator[tuple[bool, str]]:
    """One pair per line that is not blank: whether it could be evaluated, and the answer or the error as a line of
    JSON.

    An error reads {"error": {"line": 3, "path": "/counts/0/2", "reason": "must be a whole number"}}; lines count from
    1.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield True, json.dumps(evaluate(_parse(line)), allow_nan=False)
        except RequestError as error:
            yield False, json.dumps({"error": {"line": number, "path": error.path, "reason": error.reason}})


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON knows")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _parse(line: bytes) -> Any:
    try:
        return _decode(line.decode())
    except UnicodeDecodeError:
        _fail("", "is not UTF-8")
    except RecursionError:
        _fail("", "is nested too deeply")
    except ValueError as error:
        _fail("", f"is not JSON: {error}")


def _fail(path: str, reason: str) -> NoReturn:
    raise RequestError(path, reason)


def _keys(value: Any, path: str, needed: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(path, "must be an object")
    for key in needed:
        if key not in value:
            _fail(f"{path}/{key}", "is missing")
    for key in value:
        if key not in needed and key not in optional:
            escaped = key.replace("~", "~0").replace("/", "~1")
            _fail(f"{path}/{escaped}", f"is not known; there are {', '.join((*needed, *optional))}")
    return value


def _number(value: Any, path: str) -> float:
    if type(value) not in (int, float):
        _fail(path, "must be a number")
    if not -LARGEST <= value <= LARGEST:
        _fail(path, "is too large a number")
    return float(value)


def _whole(value: Any, path: str, most: int) -> int:
    if type(value) is not int:
        if type(value) is float and value.is_integer() and 0 <= value <= most:
            return int(value)  # JSON has one kind of number: 5.0 is 5
        _fail(path, "must be a whole number")
    if not 0 <= value <= most:
        _fail(path, f"must lie between 0 and {most}")
    return int(value)


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        _fail(path, "must be a list")
    return value


def _time(value: Any, path: str) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        _fail(path, "must be a time such as 2026-01-09T00:00:00Z, or null")
    try:
        return _read_time(value)
    except (ValueError, OverflowError):
        _fail(path, "must be a time such as 2026-01-09T00:00:00Z, or null")


@lru_cache(maxsize=256)
def _read_time(text: str) -> datetime:
    if len(text) < len("2026-01-09T00:00"):
        raise ValueError("a day is no time")
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _weights(value: Any, path: str) -> tuple[float, ...]:
    weights = tuple(_number(each, f"{path}/{index}") for index, each in enumerate(_list(value, path)))
    if not 2 <= len(weights) <= MOST_VARIANTS:
        _fail(path, f"must have 2 to {MOST_VARIANTS} weights")
    for index, weight in enumerate(weights):
        if weight < 0:
            _fail(f"{path}/{index}", "must not be negative")
    if not sum(weights) > 0:
        _fail(path, "must not all be 0")
    largest = max(weights)
    for index, weight in enumerate(weights):
        if 0 < weight < largest * LEAST_WEIGHT:
            _fail(f"{path}/{index}", "must be 0 or at least a millionth of the largest weight")
    return tuple(weight / largest for weight in weights)


def _plan(value: Any) -> Plan | None:
    if value is None:
        return None
    body = _keys(value, "/plan", ("baseline", "mde"), ("alpha", "power", "weights", "value_cap"))
    baseline, mde = _number(body["baseline"], "/plan/baseline"), _number(body["mde"], "/plan/mde")
    alpha, power = _number(body.get("alpha", 0.05), "/plan/alpha"), _number(body.get("power", 0.8), "/plan/power")
    cap = body.get("value_cap")
    if cap is not None:
        cap = _number(cap, "/plan/value_cap")
        if not cap >= LEAST_VALUE:
            _fail("/plan/value_cap", f"must be more than 0, {LEAST_VALUE:g} at least, or null")
    try:
        check(baseline, mde, alpha, power)
    except PlanError as error:
        _fail(f"/plan/{error.name}", str(error))
    return Plan(baseline, mde, alpha, power, _weights(body.get("weights", [0.5, 0.5]), "/plan/weights"), cap)


def _periods(value: Any) -> list[Period]:
    periods = []
    for index, each in enumerate(_list(value, "/periods")):
        path = f"/periods/{index}"
        body = _keys(each, path, ("weights",), ("from", "to"))
        period = Period(_weights(body["weights"], f"{path}/weights"), _time(body.get("from"), f"{path}/from"),
                        _time(body.get("to"), f"{path}/to"))
        if period.begins_at and period.ends_at and period.ends_at < period.begins_at:
            _fail(f"{path}/to", "must not lie before from")
        periods.append(period)
    if not 1 <= len(periods) <= MOST_PERIODS:
        _fail("/periods", f"must have 1 to {MOST_PERIODS} periods")
    for index, (before, after) in enumerate(pairwise(periods), start=1):
        if len(after.weights) != len(before.weights):
            _fail(f"/periods/{index}/weights", f"must have {len(before.weights)} weights as the first period has")
    return periods


def _cells(value: Any, periods: int, variants: int) -> list[list[Cell]]:
    cells = [[Cell()] * variants for _ in range(periods)]
    seen = set()
    for index, row in enumerate(_list(value, "/counts")):
        path = f"/counts/{index}"
        if not isinstance(row, list) or len(row) != 6:
            _fail(path, "must be [period, variant, visitors, conversions, sum, sum_of_squares]")
        place = _whole(row[0], f"{path}/0", periods - 1), _whole(row[1], f"{path}/1", variants - 1)
        if place in seen:
            _fail(path, "stands there twice: one row for each period and variant")
        seen.add(place)
        visitors = _whole(row[2], f"{path}/2", MOST_VISITORS)
        conversions = _whole(row[3], f"{path}/3", MOST_VISITORS)
        if conversions > visitors:
            _fail(f"{path}/3", "must not be more than the visitors")
        total, squares = _number(row[4], f"{path}/4"), _number(row[5], f"{path}/5")
        if not (total == 0 or total >= LEAST_VALUE):
            _fail(f"{path}/4", f"must be 0 or more, {LEAST_VALUE:g} at least: values are never negative")
        # The squares of n values that are not negative add up to the square of their sum at most, and to its n-th part
        # at least.
        if squares < 0 or total * total > conversions * squares * (1 + 1e-9):
            _fail(f"{path}/5", "is too small for the sum and the conversions")
        if squares > total * total * (1 + 1e-9):
            _fail(f"{path}/5", "is too large for the sum")
        cells[place[0]][place[1]] = Cell(visitors, conversions, total, squares)
    return cells


def _state(value: Any, challengers: int) -> State | None:
    if value is None:
        return None
    names = ("look", "log_e", "log_split", "crossed", "decided", "finished", "full_at", "latch")
    body = _keys(value, "/state", names, ())
    if body["look"] not in ("visitor", "daily"):
        _fail("/state/look", 'must be "visitor" or "daily"')
    columns = {name: _list(body[name], f"/state/{name}") for name in ("log_e", "crossed", "decided", "finished")}
    for name, column in columns.items():
        if len(column) != challengers:
            _fail(f"/state/{name}", f"must have {challengers} entries, one per challenger")
    for name in ("crossed", "decided"):
        for index, sign in enumerate(columns[name]):
            if type(sign) is not int or sign not in (-1, 0, 1):
                _fail(f"/state/{name}/{index}", "must be -1, 0 or 1")
    for index, flag in enumerate(columns["finished"]):
        if type(flag) is not bool:
            _fail(f"/state/finished/{index}", "must be true or false")
    log_e = tuple(_highest(each, f"/state/log_e/{index}") for index, each in enumerate(columns["log_e"]))
    return State(body["look"], log_e, _highest(body["log_split"], "/state/log_split"), tuple(columns["crossed"]),
                 tuple(columns["decided"]), tuple(columns["finished"]), _time(body["full_at"], "/state/full_at"),
                 _latch(body["latch"], challengers))


def _highest(value: Any, path: str) -> float:
    """The highest ln e so far: 0 at the start, so never less."""
    number = _number(value, path)
    if number < 0:
        _fail(path, "must not be negative")
    return number


def _latch(value: Any, challengers: int) -> Latch | None:
    if value is None:
        return None
    body = _keys(value, "/state/latch", ("verdict", "variant", "at", "counts", "best"), ())
    if body["verdict"] not in VERDICTS:
        _fail("/state/latch/verdict", f"must be one of {', '.join(VERDICTS)}")
    variant = _whole(body["variant"], "/state/latch/variant", challengers)
    if not variant:
        _fail("/state/latch/variant", "must be a challenger, and 0 is the control")
    rows = []
    for index, row in enumerate(_list(body["counts"], "/state/latch/counts")):
        path = f"/state/latch/counts/{index}"
        if not isinstance(row, list) or len(row) != 2:
            _fail(path, "must be [visitors, conversions]")
        rows.append((_number(row[0], f"{path}/0"), _number(row[1], f"{path}/1")))
    if type(body["best"]) is not bool:
        _fail("/state/latch/best", "must be true or false")
    return Latch(body["verdict"], variant, _time(body["at"], "/state/latch/at"), tuple(rows), body["best"])
