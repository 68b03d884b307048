"""Bootstrap, by patient, of statistics that are functions of sums over patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.method import Method
from onkos.stats.estimates import described
from onkos.stats.intervals import RESAMPLES, widened

_CELLS = 4_000_000


def resampled_sums(
    sums: FloatArray,
    value: Callable[[AnyArray], AnyArray],
    *,
    rng: np.random.Generator,
    frequency: FloatArray | None = None,
) -> FloatArray:
    """Values of a statistic over bootstrap resamples of units.

    Parameters
    ----------
    sums
        (units, features): what each unit adds.
    value
        Turns summed features (resamples, features) into the statistic (resamples,), or into
        several at once (resamples, statistics).
    frequency
        How many like units a row stands for; one each if not given.

    Returns
    -------
    array
        One row a resample, without those that could not be computed (a resample with one
        category only, say).
    """
    weight = np.ones(len(sums)) if frequency is None else frequency
    total = int(weight.sum())
    share = weight / weight.sum()
    block = max(1, _CELLS // max(len(sums), sums.shape[1]))
    found = []
    for start in range(0, RESAMPLES, block):
        drawn = rng.multinomial(total, share, size=min(block, RESAMPLES - start))
        with np.errstate(all="ignore"):
            found.append(np.asarray(value(drawn @ sums), dtype=np.float64))
    values = np.concatenate(found)
    whole = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    finite: FloatArray = values[whole]
    return finite


def percentile(
    values: FloatArray, centre: float, level: float, *, n: int, what: Method | str, unit: str
) -> tuple[float, float, Method]:
    """Percentile interval that holds ``centre``, and the method with it.

    Widened for few units as Student's t widens a normal interval, as in the rest of ``stats``.
    """
    if values.size < RESAMPLES // 2:
        raise ContentError(
            f"only {values.size} of {RESAMPLES} resamples of {n} units could be computed; "
            "the ratings hardly vary. Collect more, or use the interval without resampling"
        )
    tail = widened((1 - level) / 2, n=n, df=n - 1)
    low, high = np.quantile(values, [tail, 1 - tail])
    left = RESAMPLES - values.size
    lost = (f"{left} resamples not computable and left out",) if left else ()
    method = described(what)
    method = replace(
        method,
        by=f"percentile bootstrap by {unit}, widened by t",
        resamples=RESAMPLES,
        notes=(*method.notes, *lost),
    )
    return min(float(low), centre), max(float(high), centre), method
