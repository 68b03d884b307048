"""Studies that can be built and those that cannot."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.readers.ratings import roc_study
from reader_toys import simulated

RATINGS = np.arange(16.0).reshape(2, 2, 4)
TRUTH = [0, 0, 1, 1]


def changed(place, value):
    ratings = RATINGS.copy()
    ratings[place] = value
    return ratings


@pytest.mark.parametrize(
    ("ratings", "truth", "message"),
    [
        (RATINGS, [1, 1, 1, 1], "4 of 4 cases abnormal"),
        (RATINGS, [0, 0, 0, 0], "0 of 4 cases abnormal"),
        (RATINGS, [0, 0, 1, 2], "expected 0 for normal, 1 for abnormal"),
        (RATINGS, [0, 1], r"truth of shape \(2,\); expected \(4,\)"),
        (RATINGS[0], TRUTH, r"expected \(readers, modalities, cases\)"),
        (changed(1, np.nan), TRUTH, "reader 2 read nothing"),
        (changed((slice(None), 1), np.nan), TRUTH, "modality 2: nobody read it"),
        (changed((0, 0, slice(0, 2)), np.nan), TRUTH, "reader 1 read only abnormal cases"),
        (changed((0, 1, 3), np.inf), TRUTH, "reader 1, modality 2, case 4: rating inf"),
        (changed((0, 1, 3), -np.inf), TRUTH, "rating -inf"),
    ],
)
def test_what_is_no_study_is_refused_by_name(ratings, truth, message):
    with pytest.raises(ContentError, match=message):
        roc_study(ratings, truth)


def test_a_name_twice_is_refused():
    with pytest.raises(ContentError, match=r"readers: \['A'\] named twice"):
        roc_study(RATINGS, TRUTH, readers=["A", "A"])


def test_missing_readings_are_known():
    study = roc_study(changed((0, 0, 1), np.nan), TRUTH)
    assert study.read.sum() == 15
    assert not study.read[0, 0, 1]


def test_a_part_keeps_names_and_drops_cases_nobody_read(rng):
    whole = simulated(rng, shape=(3, 2, 10))
    ratings = whole.highest.copy()
    ratings[0, :, 8:] = np.nan
    study = roc_study(ratings, whole.truth, readers=["x", "y", "z"], modalities=["film", "screen"])
    part = study.part(readers=[0], modalities=[1])
    assert (part.readers, part.modalities) == (("x",), ("screen",))
    assert len(part.cases) == 8
    np.testing.assert_array_equal(part.highest[0, 0], ratings[0, 1, :8])
