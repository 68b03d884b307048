"""STAPLE against SimpleITK and against the fixed point of the EM algorithm."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.stats.consensus.staple import staple

Row = tuple[str, float, float, float]


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance."""
    golden = json.loads((data_dir / "golden-statistics" / "staple.json").read_text())
    readings = [outline(np.array(reading)) for reading in golden["raters"]]
    ours = staple(readings, tolerance=1e-13)
    assert ours.converged
    found: list[Row] = []
    for source, tolerance in (("simpleitk", 1e-5), ("em_fixed_point", 1e-9)):
        for name in ("sensitivity", "specificity"):
            for reader, expected in enumerate(golden[source][name]):
                value = getattr(ours, name)[reader].value
                found.append((f"{source} {name} {reader + 1}", value, expected, tolerance))
    expected = np.array(golden["simpleitk"]["probability"])
    for at, value in np.ndenumerate(ours.probability):
        found.append((f"simpleitk probability {at}", float(value), float(expected[at]), 1e-5))
    return found


def outline(labels: np.ndarray) -> Mask:
    return Mask(
        labels=labels.astype(np.uint8), geometry=Geometry.picture(labels.shape), names={1: "tumour"}
    )


@pytest.mark.data
def test_every_number_is_reproduced(data_dir):
    table = rows(data_dir)
    assert len(table) == 12 + 144
    wrong = [row for row in table if not abs(row[1] - row[2]) <= row[3]]
    assert not wrong, wrong[:10]


def test_simpleitk_agrees_on_random_outlines(rng):
    """Another judge than the stored numbers, in 3-D, with readers of unlike skill."""
    sitk = pytest.importorskip("SimpleITK")
    truth = np.zeros((9, 14, 11), dtype=np.uint8)
    truth[2:7, 3:10, 2:9] = 1
    arrays = [
        np.where(rng.random(truth.shape) < rate, 1 - truth, truth) for rate in (0.02, 0.1, 0.2)
    ]
    geometry = Geometry.upright(truth.shape, spacing_mm=(1, 2, 3))
    ours = staple([Mask(labels=a, geometry=geometry, names={1: "tumour"}) for a in arrays])
    judge = sitk.STAPLEImageFilter()
    judge.SetForegroundValue(1)
    theirs = sitk.GetArrayFromImage(judge.Execute([sitk.GetImageFromArray(a) for a in arrays]))
    assert np.abs(theirs - ours.probability).max() < 1e-5
    assert [e.value for e in ours.sensitivity] == pytest.approx(judge.GetSensitivity(), abs=1e-5)
    assert [e.value for e in ours.specificity] == pytest.approx(judge.GetSpecificity(), abs=1e-5)
