"""What is on both sides of a split is found and named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from onkos.cohort.leakage import Side, equal_pictures, equal_rows, fingerprint, require_apart
from onkos.core.errors import CohortError, ContentError


def side(names, **given):
    return Side(cases=names, patients=[f"patient of {n}" for n in names], **given)


def speckle(rng, shape=(180, 240)):
    """A picture like an ultrasound image: smooth structure and grain."""
    structure = ndimage.gaussian_filter(rng.normal(size=shape), 12)
    return 90 + 900 * structure + 10 * rng.normal(size=shape)


def test_sides_without_anything_in_common_pass(rng):
    require_apart(
        side(["a", "b"], table=rng.normal(size=(2, 9)), pictures=[fingerprint(speckle(rng))] * 2),
        side(["c"], table=rng.normal(size=(1, 9)), pictures=[fingerprint(speckle(rng))]),
    )


def test_a_patient_or_case_on_both_sides_is_named():
    one = Side(cases=["a1", "b1"], patients=["a", "b"])
    with pytest.raises(CohortError, match=r"patients \['b'\] \(1 in all\)"):
        require_apart(one, Side(cases=["b2", "c1"], patients=["b", "c"]))
    with pytest.raises(CohortError, match=r"cases \['a1'\]"):
        require_apart(one, Side(cases=["a1"], patients=["c"]))


def test_a_copied_row_is_named_though_units_and_gaps_differ(rng):
    table = rng.normal(size=(50, 12)) * 10.0 ** rng.integers(-4, 5, 12)
    table[:, 3] = np.nan
    table[7, 4] = np.nan
    copy = table[[7]] * (1 + 1e-6)
    test = np.concatenate([1.7 * table[:4], copy])
    names = [f"c{n}" for n in range(50)]
    with pytest.raises(CohortError, match=r"c7 and t4 \(1 pairs in all\)"):
        require_apart(side(names, table=table), side([f"t{n}" for n in range(5)], table=test))
    assert equal_rows(table, test[:4]) == []
    other = copy.copy()
    other[0, 5] += table[:, 5].std()
    assert equal_rows(table, other) == []


def test_too_few_columns_to_tell_are_refused(rng):
    with pytest.raises(ContentError, match="7 columns that vary"):
        equal_rows(rng.normal(size=(9, 7)), rng.normal(size=(9, 7)))
    with pytest.raises(ContentError, match="widths differ"):
        equal_rows(rng.normal(size=(9, 8)), rng.normal(size=(9, 9)))


@pytest.mark.parametrize("change", ["resized", "brighter", "compressed", "noisy", "colour"])
def test_a_changed_copy_of_a_picture_is_found(rng, change):
    picture = np.clip(speckle(rng), 0, 255)
    copies = {
        "resized": lambda p: cv2.resize(p, (177, 139), interpolation=cv2.INTER_AREA),
        "brighter": lambda p: 0.7 * p + 40,
        "compressed": lambda p: cv2.imdecode(
            cv2.imencode(".jpg", p.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0
        ),
        "noisy": lambda p: p + 4 * rng.normal(size=p.shape),
        "colour": lambda p: np.repeat(p[..., None], 3, axis=2),
    }
    others = [fingerprint(speckle(rng)) for _ in range(30)]
    found = equal_pictures([*others, fingerprint(picture)], [fingerprint(copies[change](picture))])
    assert found == [(30, 0)]
    with pytest.raises(CohortError, match="pictures of training and test"):
        require_apart(
            side(["a"], pictures=[fingerprint(picture)]),
            side(["b"], pictures=[fingerprint(copies[change](picture))]),
        )


def test_unlike_pictures_are_not_taken_for_copies(rng):
    ones = [fingerprint(speckle(rng)) for _ in range(40)]
    assert equal_pictures(ones[:20], ones[20:]) == []
    assert equal_pictures([], ones) == []


@pytest.mark.parametrize(
    "pixels", [np.zeros((8, 8)), np.full((8, 8), np.nan), np.zeros((0, 4)), np.arange(5.0)]
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(ContentError, match="rows, columns"):
        fingerprint(pixels)


@pytest.mark.data
def test_the_known_copies_among_ultrasound_pictures_are_found(data_dir):
    """BUSI holds near duplicates, some across its classes; what is found must look the same."""
    files = sorted((data_dir / "breast-us-busi").glob("[bmn]*/*.png"))
    pictures = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    prints = [fingerprint(picture) for picture in pictures]
    pairs = [(a, b) for a, b in equal_pictures(prints, prints) if a < b]
    assert 20 <= len(pairs) <= 60
    for a, b in pairs:
        both = [cv2.resize(pictures[n], (96, 96), interpolation=cv2.INTER_AREA) for n in (a, b)]
        assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.8
