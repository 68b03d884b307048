"""Dorfman-Berbaum-Metz: pseudovalues and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, UsageError
from onkos.stats.readers import dbm
from onkos.stats.readers.foms import WILCOXON, sensitivity, values
from onkos.stats.readers.ratings import roc_study
from reader_toys import simulated


def test_pseudovalues_average_to_the_figure_of_merit(rng):
    study = simulated(rng, levels=5)
    pseudo = dbm.pseudovalues(study, WILCOXON)
    assert pseudo.shape == (4, 2, 40)
    assert pseudo.mean(axis=2) == pytest.approx(values(study, WILCOXON), abs=1e-12)


def test_pseudovalues_of_a_share_are_the_decisions_themselves(rng):
    study = simulated(rng)
    pseudo = dbm.pseudovalues(study, sensitivity(1.0))
    decided = study.highest[..., study.truth] >= 1.0
    assert pseudo == pytest.approx(decided.astype(float), abs=1e-9)


def test_squares_add_up(rng):
    pseudo = rng.normal(size=(3, 2, 7))
    mean = dbm.anova(pseudo)
    total = (
        mean.t * 1 + mean.r * 2 + mean.c * 6 + mean.tr * 2 + mean.tc * 6 + mean.rc * 12
        + mean.trc * 12
    )  # fmt: skip
    assert total == pytest.approx(((pseudo - pseudo.mean()) ** 2).sum())


def test_missing_readings_are_refused(rng):
    ratings = simulated(rng).highest.copy()
    ratings[0, 0, 3] = np.nan
    with pytest.raises(ContentError, match="every reader to read every case"):
        dbm.analyse(roc_study(ratings, np.arange(40) % 2), WILCOXON, factors="RRRC")


def test_one_reader_cannot_be_random(rng):
    with pytest.raises(UsageError, match="ask for FRRC"):
        dbm.analyse(simulated(rng, shape=(1, 2, 40)), WILCOXON, factors="RRFC")
