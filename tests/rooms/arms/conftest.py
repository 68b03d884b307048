"""A small cohort of phantoms and a model of each arm, made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.core.case import known_truths
from onkos.phantom.brain import cohort
from onkos.phantom.patient import BrainPhantom

SETTINGS = BrainPhantom(shape=(44, 52, 30))


@pytest.fixture(scope="session")
def phantoms():
    """Four simulated patients, kept in memory; the last one is kept from the models."""
    drawn = cohort(4, settings=SETTINGS, seed=5)

    def held(case):
        study, truth = case.study, case.outline
        return replace(
            case, load=lambda: study, truths={**case.truths, **known_truths(outline=lambda: truth)}
        )

    return replace(drawn, cases=tuple(held(case) for case in drawn.cases))


@pytest.fixture(scope="session")
def models(phantoms):
    """A model of every outlining arm, fitted on the first three."""
    return {
        name: arms.ARMS[name].fit(phantoms.cases[:3], rng=np.random.default_rng(4))
        for name in ("supervoxel-forest", "intensity-forest", "trivial")
    }
