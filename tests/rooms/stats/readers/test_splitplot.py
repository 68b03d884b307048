"""Designs are told from who read what."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.stats.readers.ratings import roc_study
from onkos.stats.readers.splitplot import design_of
from reader_toys import simulated

CASES = np.arange(40)


def study(rng, unread):
    ratings = simulated(rng).highest.copy()
    ratings[unread] = np.nan
    return roc_study(ratings, CASES % 2)


def unread(block):
    """Where a reading is missing: ``block`` gives the quarter of the cases each cell reads."""
    return np.array(block)[..., None] != CASES // 10


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ([[0, 0], [1, 1], [2, 2], [3, 3]], "cases nested in readers"),
        ([[0, 1]] * 4, "cases nested in modalities"),
        ([[0, 0], [0, 0], [1, 1], [1, 1]], "blocks"),
    ],
)
def test_nested_cases_are_analysed_by_obuchowski_and_rockette(rng, block, name):
    design = design_of(study(rng, unread(block)))
    assert design.name == name
    assert design.obuchowski_rockette is None
    assert "every case" in design.dbm


def test_everything_read_is_factorial(rng):
    design = design_of(simulated(rng))
    assert (design.name, design.obuchowski_rockette, design.dbm) == ("factorial", None, None)


def test_every_reading_with_cases_of_its_own(rng):
    whole = simulated(rng, shape=(2, 2, 40)).highest.copy()
    whole[unread([[0, 1], [2, 3]])] = np.nan
    design = design_of(roc_study(whole, CASES % 2))
    assert design.name == "cases nested in readers and modalities"


def test_readings_missing_here_and_there_are_incomplete(rng):
    missing = np.zeros((4, 2, 40), dtype=bool)
    missing[1, 1, 5] = True
    design = design_of(study(rng, missing))
    assert design.name == "incomplete"
    assert "some readings are missing" in design.obuchowski_rockette


def test_a_reader_without_a_modality_is_incomplete(rng):
    missing = np.zeros((4, 2, 40), dtype=bool)
    missing[1, 1] = True
    design = design_of(study(rng, missing))
    assert design.name == "incomplete"
    assert "reader 2 did not read in modality 2" in design.obuchowski_rockette
