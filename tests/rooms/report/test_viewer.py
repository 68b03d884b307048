"""What is packed for the viewer is what was measured, where it was measured."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from awkward import geometries
from builders import PROVENANCE, sourced, study_of
from onkos.core.findings import Lesion, Point
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.reading import Reading
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.report.colours import on_black
from onkos.report.display import CT_WINDOWS, Window, brightness, scale_of
from onkos.report.viewer import LONGEST_SIDE, VOXEL_BUDGET, upright_grid, viewer_of


def unpacked(packed: str, shape) -> np.ndarray:
    codes = np.frombuffer(gzip.decompress(base64.b64decode(packed)), dtype=np.uint8)
    return codes.reshape(shape, order="F")


def reading(volumes, *, mask=None, lesions=()) -> Reading:
    return Reading(
        study=Study(patient=Patient(id="P"), volumes=volumes),
        reference=next(iter(volumes)),
        mask=mask,
        lesions=lesions,
        classes={},
        stage=None,
        caveats=(),
        card={},
        provenance=PROVENANCE,
    )


def view(made: Reading):
    names = made.mask.names.values() if made.mask else ()
    colours = {name: on_black(n) for n, name in enumerate(names)}
    return viewer_of(made, site="", colours=colours)


def blurred(geometry: Geometry, mm: np.ndarray, sigma: float) -> Volume:
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    away = np.linalg.norm(geometry.to_mm(index) - mm, axis=-1)
    data = np.exp(-0.5 * (away / sigma) ** 2).astype(np.float32)
    return Volume(data=data, geometry=geometry, modality="MR", unit="1")


@given(
    data=arrays(np.float32, (5, 4, 3), elements=st.floats(-3000, 5000, width=32)),
    modality=st.sampled_from([("CT", "[hnsf'U]"), ("PT", "g/ml"), ("MR", "1")]),
)
def test_a_code_stands_for_the_nearest_level(data, modality):
    grid = Geometry.upright(data.shape, spacing_mm=(1, 2, 3))
    volume = Volume(data=data, geometry=grid, modality=modality[0], unit=modality[1])
    scale = scale_of(volume, site="")
    assert len(scale.levels) == 255
    codes = scale.encode(data).astype(int)
    assert codes.min() >= 1
    chosen = np.abs(scale.levels[codes - 1] - data)
    best = np.abs(scale.levels[:, None, None, None] - data).min(axis=0)
    np.testing.assert_allclose(chosen, best, rtol=1e-4, atol=1e-3)


def test_what_was_not_measured_is_outside():
    data = np.array([[[np.nan, 1.0, 2.0, 3.0]]], dtype=np.float32)
    grid = Geometry.upright(data.shape, spacing_mm=(1, 1, 1))
    scale = scale_of(Volume(data=data, geometry=grid, modality="MR", unit="1"), site="")
    codes = scale.encode(data)
    assert codes[0, 0, 0] == 0
    assert codes[0, 0, 1:].min() >= 1


@pytest.mark.parametrize(("site", "first"), [("brain", "Brain"), ("liver", "Soft tissue")])
def test_a_ct_opens_in_the_window_of_its_site(site, first):
    grid = Geometry.upright((2, 2, 2), spacing_mm=(1, 1, 1))
    volume = Volume(data=np.zeros((2, 2, 2)), geometry=grid, modality="CT", unit="[hnsf'U]")
    windows = scale_of(volume, site=site).windows
    assert windows[0].name == first
    assert set(windows) == set(CT_WINDOWS)


@given(low=st.floats(-1000, 1000), width=st.floats(1, 3000))
def test_brightness_is_linear_between_the_ends_of_the_window(low, width):
    window = Window("w", low, low + width)
    shown = brightness(np.array([low - 1, low, low + width / 2, low + width, np.nan]), window)
    assert shown.tolist()[:2] == [0, 0]
    assert abs(int(shown[2]) - 127.5) <= 1
    assert shown.tolist()[3:] == [255, 0]


@given(
    geometry=geometries(smallest=5, largest=12),
    where=st.tuples(*[st.floats(0.35, 0.65)] * 3),
)
@settings(max_examples=40)
def test_a_landmark_stays_where_it_is_in_the_patient(geometry, where):
    mm = geometry.to_mm((np.array(geometry.shape) - 1) * where)
    sigma = 0.8 * max(geometry.spacing_mm)
    volume = blurred(geometry, mm, sigma)
    made = view(reading({"t1": volume}))
    shape, step = made.facts["shape"], made.facts["step_mm"]
    codes = unpacked(made.images[0], shape).astype(float)
    origin = np.array(made.facts["origin_mm"])
    index = np.moveaxis(np.indices(shape), 0, -1)
    bright = codes >= codes.max() - 2
    found = origin + step * index[bright].mean(axis=0)
    assert np.linalg.norm(found - mm) <= 1.8 * max(geometry.spacing_mm)


@given(geometry=geometries(smallest=4, largest=10), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_the_outline_in_the_viewer_is_the_outline_on_its_grid(geometry, seed):
    labels = np.random.default_rng(seed).integers(0, 3, size=geometry.shape, dtype=np.uint8)
    labels[0, 0, 0] = 1
    mask = Mask(labels=labels, geometry=geometry, names={1: "core", 2: "oedema"})
    volume = Volume(data=labels.astype(np.float32), geometry=geometry, modality="MR", unit="1")
    made = view(reading({"t1": volume}, mask=mask))
    grid = upright_grid(geometry, images=1)
    assert made.facts["shape"] == grid.shape
    assert np.array_equal(unpacked(made.labels, grid.shape), mask.on(grid).labels)
    assert [tissue["label"] for tissue in made.facts["tissues"]] == [1, 2]


@given(
    shape=st.tuples(*[st.integers(1, 700)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 8.0)] * 3),
    images=st.integers(1, 12),
)
def test_the_grid_keeps_side_and_budget_and_covers_the_image(shape, spacing, images):
    geometry = Geometry.upright(shape, spacing_mm=spacing, origin_mm=(-31, 70, 512))
    grid = upright_grid(geometry, images=images)
    assert max(grid.shape) <= LONGEST_SIDE
    assert np.prod(grid.shape) * images <= VOXEL_BUDGET
    assert grid.orientation == "LPS"
    size = np.array(shape) * spacing
    covered = np.array(grid.shape) * grid.spacing_mm[0]
    assert (covered > size - grid.spacing_mm[0] - 1e-6).all()


def test_a_finer_image_is_averaged_not_skipped(rng):
    fine = Geometry.upright((330, 8, 8), spacing_mm=(0.5, 0.5, 0.5), origin_mm=(3, 5, 7))
    noise = rng.normal(500.0, 50.0, size=fine.shape).astype(np.float32)
    made = view(reading({"t1": Volume(data=noise, geometry=fine, modality="MR", unit="1")}))
    assert made.facts["step_mm"] > 1.0
    levels = np.array([np.nan, *made.facts["roles"][0]["levels"][1:]])
    shown = levels[unpacked(made.images[0], made.facts["shape"])]
    assert np.nanmean(shown) == pytest.approx(500.0, abs=5.0)
    assert np.nanstd(shown) < 50.0 / np.sqrt(8) * 1.15


def test_an_image_of_two_values_shows_both():
    grid = Geometry.upright((9, 8, 7), spacing_mm=(1, 1, 1))
    data = np.zeros(grid.shape, dtype=np.uint8)
    data[3:6, 2:5, 1:4] = 1
    scale = scale_of(Volume(data=data, geometry=grid, modality="OT", unit="1"), site="")
    shown = brightness(data.astype(np.float32), scale.windows[0])
    assert (shown[0, 0, 0], shown[4, 3, 2]) == (0, 255)


def test_images_of_another_frame_of_reference_are_left_out_and_named():
    grid = Geometry.upright((5, 6, 4), spacing_mm=(1, 1, 2))
    one, other = sourced(grid), sourced(grid)
    same = replace(one, data=np.ones(grid.shape, dtype=np.int16))
    study = replace(study_of(one), volumes={"t1": one, "ct": other, "t2": same})
    made = view(replace(reading({"t1": one}), study=study))
    assert [role["name"] for role in made.facts["roles"]] == ["t1", "t2"]
    assert len(made.images) == 2
    assert any("ct lies in another frame of reference" in note for note in made.notes)


def test_it_opens_at_the_first_lesion_that_has_a_place():
    grid = Geometry.upright((30, 20, 10), spacing_mm=(1, 1, 1), origin_mm=(-5, 3, 40))
    volume = Volume(data=np.zeros(grid.shape), geometry=grid, modality="MR", unit="1")
    named = Lesion(id="lesion-1", where=None, kind="tumour", site="")
    placed = Lesion(id="lesion-2", where=Point(mm=(7.0, 10.0, 44.0)), kind="tumour", site="")
    made = view(reading({"t1": volume}, lesions=(named, placed)))
    assert made.facts["start"] == [12, 7, 4]
    assert made.facts["lesions"] == [{"name": "lesion-2", "at": [12, 7, 4]}]


def test_a_plain_picture_has_no_viewer():
    volume = Volume(
        data=np.zeros((8, 9), dtype=np.uint8),
        geometry=Geometry.picture((8, 9)),
        modality="US",
        unit="1",
    )
    assert view(reading({"us": volume})) is None
