"""Several images of one place: echoes, times, b-values, and what cannot be told apart."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from onkos.core.geometry import Geometry
from onkos.io.intake import open_path, open_study
from slices import noise, real, slices, write

GRID = Geometry.upright(
    (7, 9, 5),
    spacing_mm=(1.4, 0.9, 4.2),
    origin_mm=(31.0, -8.0, 77.0),
    directions=np.array([[0.0, 0.6, 0.8], [1.0, 0.0, 0.0], [0.0, 0.8, -0.6]]),
)


def again(datasets: list[Dataset], rng: np.random.Generator, start: int) -> list[Dataset]:
    more = copy.deepcopy(datasets)
    for k, one in enumerate(more):
        one.SOPInstanceUID = generate_uid()
        one.InstanceNumber = start + k
        one.PixelData = noise(one, rng)
    return more


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("EchoTime", ("4.6", "92")),
        ("AcquisitionNumber", ("1", "2")),
        ("DiffusionBValue", (0.0, 800.0)),
        ("TemporalPositionIdentifier", ("9", "10")),
        ("TriggerTime", ("0", "300")),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
    ],
)
def test_each_phase_is_a_volume(keyword, values, tmp_path: Path, rng: np.random.Generator) -> None:
    first = slices(GRID, rng, modality="MR")
    second = again(first, rng, 6)
    for value, phase in zip(values, (first, second), strict=True):
        for one in phase:
            setattr(one, keyword, value)
    write(tmp_path, [*second, *first])
    study = open_study(tmp_path)
    assert len(study.volumes) == 2
    told = {"not-magnitude"} if keyword == "ImageType" else set()
    assert {c.code for c in study.all_caveats} == {"phantom", "several-phases"} | told
    found = {v.source.description.split(keyword)[1].strip(): v for v in study.volumes.values()}
    shown = ["\\".join(v) if isinstance(v, list) else str(v) for v in values]
    assert set(found) == set(shown)
    for value, phase in zip(shown, (first, second), strict=True):
        volume = found[value]
        order = [str(one.SOPInstanceUID) for one in phase]
        for k, instance in enumerate(volume.source.instances):
            expected = real(phase[order.index(instance.uid)])
            np.testing.assert_array_equal(volume.data[..., k], expected)


def test_phases_are_in_the_order_of_their_numbers(tmp_path: Path, rng: np.random.Generator) -> None:
    first = slices(GRID, rng, modality="MR")
    phases = [first, again(first, rng, 6), again(first, rng, 11)]
    for value, phase in zip(("2", "10", "9"), phases, strict=True):
        for one in phase:
            one.TemporalPositionIdentifier = value
    write(tmp_path, [one for phase in phases for one in phase])
    named = [v.source.description.split()[-1] for v in open_study(tmp_path).volumes.values()]
    assert named == ["2", "9", "10"]


def test_nothing_tells_them_apart(tmp_path: Path, rng: np.random.Generator) -> None:
    first = slices(GRID, rng, modality="MR")
    write(tmp_path, [*first, *again(first, rng, 6)])
    (refused,) = open_path(tmp_path).refused
    assert refused.error == "GeometryError"
    assert "lie at the same place and differ" in refused.reason
    assert "Export the acquisitions apart" in refused.reason


def test_a_phase_that_lacks_a_slice(tmp_path: Path, rng: np.random.Generator) -> None:
    first = slices(GRID, rng, modality="MR", EchoTime="5")
    second = again(first, rng, 6)
    for one in second:
        one.EchoTime = "90"
    write(tmp_path, [*first, *second[:-1]])
    found = open_path(tmp_path)
    assert found.studies == ()
    assert found.refused[0].error == "GeometryError"
