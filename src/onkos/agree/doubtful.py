"""Outlines that deserve a second look, and what limits all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from onkos.agree.part import few
from onkos.agree.tally import PairOf, Tally
from onkos.core.agreement import Review
from onkos.core.source import Caveat

_SHARE_LISTED = 0.1
_LEAST_FOR_ODD = 3


def review(tally: Tally) -> tuple[Review, ...]:
    """Cases that one reader left empty or that lie far below the others, else the lowest few."""
    means = {n: float(np.mean(list(tally.whole(n).values()))) for n in _judged(tally)}
    order = sorted(means, key=lambda n: (means[n], n))
    fence = _fence(list(means.values()))
    least = math.ceil(_SHARE_LISTED * len(means))
    found: list[Review] = []
    for place, n in enumerate(order):
        whole, gone = tally.whole(n), tally.empty[n]
        apart = tally.lost[n] or means[n] < fence or place < least or min(whole.values()) == 0
        if means[n] >= 1 or not apart:
            continue
        low, pair = min((value, names) for names, value in whole.items())
        reason = f"mean Dice {means[n]:.2f}; lowest {low:.2f}, {pair[0]} and {pair[1]}"
        if tally.lost[n]:
            reason += f"; nothing outlined by {', '.join(sorted(gone))}"
        found.append(
            Review(
                rank=len(found) + 1,
                case=tally.cases[n],
                score=1 - means[n],
                measure="one_minus_dice",
                readings={name: _said(tally, n, name) for name in tally.read[n]},
                suspected=_odd(whole, tally.read[n]),
                reason=reason,
            )
        )
    return tuple(found)


def _judged(tally: Tally) -> list[int]:
    return [n for n in range(len(tally.cases)) if tally.whole(n)]


def _said(tally: Tally, number: int, name: str) -> str:
    if name in tally.empty[number]:
        return "nothing"
    volumes = tally.volumes[number]
    return f"{volumes[name]:.4g} ml" if volumes else "outlined"


def _odd(whole: Mapping[PairOf, float], read: Sequence[str]) -> tuple[str, ...]:
    """The reader whose outline agrees least with the others', where three or more drew."""
    if len(read) < _LEAST_FOR_ODD:
        return ()
    mean = {
        name: float(np.mean([value for pair, value in whole.items() if name in pair]))
        for name in read
    }
    lowest = min(mean.values())
    odd = [name for name, value in mean.items() if value == lowest]
    return (odd[0],) if len(odd) == 1 else ()


def _fence(values: Sequence[float]) -> float:
    """Tukey's lower fence."""
    low, high = np.quantile(values, [0.25, 0.75]) if values else (0.0, 0.0)
    return float(low - 1.5 * (high - low))


def caveats(tally: Tally, readers: int) -> Iterator[Caveat]:
    """Say what limits agreement on these outlines; doubts about many cases are told once."""
    if len(tally.cases) == 1:
        text = (
            "One case: nothing can be said of other cases, so means over cases have no interval; "
            "intervals of STAPLE take voxels for independent and are too narrow."
        )
        yield Caveat(code="one-case", text=text)
    else:
        yield from few(len(tally.cases))
    if readers == 2:
        text = "Two readers: no consensus can tell which of them is right."
        yield Caveat(code="two-readers", text=text)
    if not all(tally.hd95) and any(tally.dice):
        text = "Some images have no millimetres: no distances and no volumes there."
        yield Caveat(code="no-millimetres", text=text)
    grouped: dict[tuple[str, str], list[str]] = {}
    for caveat in (*tally.caveats, *(c for one in tally.combined for c in one.caveats)):
        grouped.setdefault((caveat.code, caveat.text), []).append(caveat.where)
    for (code, text), where in grouped.items():
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        yield Caveat(code=code, text=text, where=", ".join(where[:3]) + more)
