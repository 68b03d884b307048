"""Simulated free-response readings (phantom) for tests of what judges marks."""

from __future__ import annotations

import numpy as np

from onkos.stats.marks import Marks


def study(rng: np.random.Generator, *, cases: int = 60, reading: float = 1.5) -> Marks:
    """Half of the cases with one or two lesions, one in five of them without a mark."""
    lesions = np.where(np.arange(cases) % 2, rng.integers(1, 3, size=cases), 0)
    scores = rng.normal(reading, 1, size=int(lesions.sum()))
    scores[rng.random(scores.size) < 0.2] = -np.inf
    wrong = rng.poisson(1.0, size=cases)
    return Marks(
        cases=tuple(range(cases)),
        patients=tuple(case // 4 for case in range(cases)),
        false_case=np.repeat(np.arange(cases), wrong),
        false_score=rng.normal(0, 1, size=int(wrong.sum())),
        lesion_case=np.repeat(np.arange(cases), lesions),
        lesion_score=scores,
        lesion_weight=np.ones(scores.size),
    )
