"""Which variant a visitor sees: a hash against the split, so that nothing needs to be remembered anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b


def choose(visitor: str, offer: str, split: Mapping[str, int]) -> str:
    """The variant of ``offer`` for ``visitor``: always the same one for the same visitor and split.

    ``split`` holds the weight of each variant, such as ``{"a": 50, "b": 50}``; its first one is the control, which is
    also the answer when every weight is zero. A change of weights moves no more visitors than it must.
    """
    return pick(visitor, offer, tuple(split.items()))


@lru_cache(maxsize=16384)
def pick(visitor: str, offer: str, split: tuple[tuple[str, int], ...]) -> str:
    """``choose`` for a split that is ready as pairs: what the page table calls."""
    total = sum(weight for _, weight in split)
    if len(split) == 1 or total <= 0:
        return split[0][0]
    digest = blake2b(f"{offer}\n{visitor}".encode(), digest_size=8, person=b"variant").digest()
    point = int.from_bytes(digest, "big") / 2**64 * total
    for variant, weight in split:
        point -= weight
        if point < 0:
            return variant
    return split[-1][0]
