"""Filters in the settings: plain and back, names, what is refused; responses measured."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.filters import Boundary, LaplacianOfGaussian, Mean, Wavelet
from onkos.features.radiomics import Filtering, Normalisation, Settings, radiomics
from onkos.features.radiomics.grid import axes_to, interpolated

NAMED = {
    "mean_5": {"kind": "mean", "support": 5},
    "mean_3_slicewise": {"kind": "mean", "support": 3, "slicewise": True},
    "log_1.5mm": {"kind": "log", "sigma_mm": 1.5},
    "log_3mm_boundary-nearest_scale-normalised": {
        "kind": "log",
        "sigma_mm": 3,
        "boundary": "nearest",
        "scale_normalised": True,
    },
    "log_2mm_boundary-constant_boundary-value--1000": {
        "kind": "log",
        "sigma_mm": 2,
        "boundary": "constant",
        "boundary_value": -1000.0,
    },
    "laws_L5E5E5_pooling-max_energy-radius-7": {
        "kind": "laws",
        "kernels": ["L5", "E5", "E5"],
        "pooling": "max",
        "energy_radius": 7,
    },
    "gabor_5mm_2mm_aspect-1.5": {
        "kind": "gabor",
        "sigma_mm": 5.0,
        "wavelength_mm": 2.0,
        "aspect": 1.5,
    },
    "wavelet_db3_LLH_pooling-mean": {
        "kind": "wavelet",
        "family": "db3",
        "band": "LLH",
        "pooling": "mean",
    },
    "simoncelli_1": {"kind": "simoncelli"},
    "riesz_1-0-0": {"kind": "riesz", "orders": [1, 0, 0]},
    "edges": {
        "kind": "log",
        "sigma_mm": 1.0,
        "name": "edges",
        "discretisation": "width",
        "bins": 0.5,
    },
}
GRID = Geometry.upright((16, 13, 9), spacing_mm=(0.8, 1.1, 2.5), origin_mm=(-30.0, 12.0, 5.0))


def volume(data, geometry=GRID):
    return Volume(data=data, geometry=geometry, modality="CT", unit="[hnsf'U]")


def mask(labels, geometry=GRID):
    return Mask(labels=labels, geometry=geometry, names={1: "core", 4: "rim"})


@pytest.fixture
def data(rng) -> np.ndarray:
    return rng.integers(-200, 300, size=GRID.shape).astype(np.int16)


@pytest.fixture
def labels() -> np.ndarray:
    made = np.zeros(GRID.shape, dtype=np.uint8)
    made[2:6, 2:7, 1:5] = 1
    made[10:15, 8:12, 3:8] = 4
    return made


@pytest.mark.parametrize("name", NAMED)
def test_a_filter_has_a_stable_name_and_comes_back_from_its_plain_form(name):
    made = Filtering.from_plain(NAMED[name])
    assert made.id == name
    assert Filtering.from_plain(made.to_plain()) == made


def test_settings_with_filters_come_back_and_their_hash_covers_every_part():
    plain = {"filters": [NAMED["edges"], NAMED["log_1.5mm"]], "normalisation": {"scale": 100}}
    made = Settings.from_plain(plain)
    again = Settings.from_plain(made.to_plain())
    assert again == made
    assert again.hash == made.hash
    whole = {"filters": [NAMED["edges"], NAMED["log_1.5mm"]], "normalisation": {"scale": 100.0}}
    assert Settings.from_plain(whole).hash == made.hash
    others = [
        Settings(),
        Settings.from_plain(plain | {"filters": [NAMED["edges"]]}),
        Settings.from_plain(plain | {"filters": [NAMED["edges"], NAMED["mean_5"]]}),
        Settings.from_plain(plain | {"filters": [NAMED["edges"] | {"bins": 2}]}),
        Settings.from_plain(plain | {"normalisation": {"scale": 10}}),
        Settings.from_plain(plain | {"original": False}),
        Settings.from_plain(plain | {"features": ["stat_mean"]}),
    ]
    assert len({one.hash for one in (made, *others)}) == 8


def test_hashes_of_settings_without_filters_are_those_of_before_there_were_filters():
    assert Settings().hash.startswith("a7186b6d3c1ec027")
    asked = Settings(spacing_mm=(2, 2, 3), low=-500, discretisation="width", bins=25)
    assert asked.hash.startswith("dd5417be7dbdfc43")


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"kind": "median"}, "mean, log, laws, gabor, wavelet, simoncelli, riesz"),
        ({"sigma_mm": 1.0}, "expected kind"),
        ({"kind": "log", "sigma": 1.0}, r"unknown \['sigma'\]; known are kind, sigma_mm"),
        ({"kind": "log"}, "sigma_mm missing"),
        ({"kind": "log", "sigma_mm": "1"}, "sigma_mm.*a number"),
        ({"kind": "log", "sigma_mm": True}, "sigma_mm.*a number"),
        ({"kind": "log", "sigma_mm": -1.0}, "positive"),
        ({"kind": "mean", "support": 3.0}, "support.*whole number"),
        ({"kind": "laws", "kernels": "L5"}, "kernels.*list of a word"),
        (
            {"kind": "laws", "kernels": ["L5", "E5"], "pooling": "sum"},
            "pooling.*max or mean or min",
        ),
        ({"kind": "mean", "support": 3, "boundary": "wrap"}, "boundary 'wrap'"),
        ({"kind": "mean", "support": 3, "boundary_value": 4.0}, "only for constant"),
        ({"kind": "mean", "support": 3, "bins": 2.5}, "bins 2.5"),
        ({"kind": "mean", "support": 3, "discretisation": "fbn"}, "discretisation 'fbn'"),
        ({"kind": "mean", "support": 3, "scale_normalised": True}, "only a filter of kind log"),
        ({"kind": "mean", "support": 3, "name": "stat_x"}, "not beginning like a feature"),
        ({"kind": "mean", "support": 3, "name": "a b"}, "letters, digits"),
    ],
    ids=str,
)
def test_what_a_filter_cannot_be_is_refused(plain, told):
    with pytest.raises(UsageError, match=told):
        Settings.from_plain({"filters": [plain]})


def test_settings_that_contradict_themselves_are_refused():
    with pytest.raises(UsageError, match=r"\['mean_5'\] more than once"):
        Settings.from_plain({"filters": [NAMED["mean_5"], NAMED["mean_5"] | {"bins": 8}]})
    with pytest.raises(UsageError, match="list of tables"):
        Settings.from_plain({"filters": NAMED["mean_5"]})
    with pytest.raises(UsageError, match="nothing to extract"):
        Settings(original=False, families=("stat",))
    with pytest.raises(UsageError, match="cm_contrast_2D_avg"):
        Settings(features=("cm_contrast_2D_avg",))
    with pytest.raises(UsageError, match="scale, outlier_sigma"):
        Settings.from_plain({"normalisation": {"sigma": 3}})
    with pytest.raises(UsageError, match="at most one"):
        Settings(round_to_integer=True, keep_type=True)


def test_columns_tell_the_filter_the_feature_and_its_identifier(data, labels):
    asked = Settings.from_plain(
        {"filters": [NAMED["log_1.5mm"], NAMED["mean_5"] | {"name": "log_1.5mm_x"}]}
    )
    table = radiomics(volume(data), mask(labels), asked)
    without = radiomics(volume(data), mask(labels))
    shape = [name for name in without.names if name.startswith("morph")]
    assert len(table.names) == 3 * len(without.names) - 2 * len(shape)
    assert len(set(table.columns)) == len(table.columns)
    assert "log_1.5mm_stat_mean_Q4LE" in table.columns
    assert table.identifiers["log_1.5mm_x_cm_contrast_3D_comb"] == "ACUI"
    assert table.aggregations["log_1.5mm_cm_contrast_3D_comb"] == "IAZD"
    np.testing.assert_array_equal(table.values[:, : len(without.names)], without.values)
    assert not any("morph" in name for name in table.names[len(without.names) :])


def test_without_the_original_its_shape_is_left_and_features_can_be_chosen(data, labels):
    asked = Settings.from_plain(
        {
            "filters": [NAMED["mean_5"]],
            "original": False,
            "features": ["morph_volume", "stat_mean", "cm_contrast_3D_comb"],
        }
    )
    table = radiomics(volume(data), mask(labels), asked)
    assert table.names == ("morph_volume", "mean_5_stat_mean", "mean_5_cm_contrast_3D_comb")
    chosen = radiomics(volume(data), mask(labels), Settings(features=("szm_sze_3D", "stat_rms")))
    assert chosen.names == ("stat_rms", "szm_sze_3D")
    whole = radiomics(volume(data), mask(labels))
    np.testing.assert_array_equal(chosen.column("szm_sze_3D"), whole.column("szm_sze_3D"))
    alone = Settings.from_plain(
        {"filters": [NAMED["mean_5"]], "original": False, "features": ["stat_mean"]}
    )
    assert radiomics(volume(data), mask(labels), alone).names == ("mean_5_stat_mean",)


def test_the_original_intensities_say_which_voxels_count(data, labels):
    edges = Filtering(filter=LaplacianOfGaussian(sigma_mm=1.0))
    table = radiomics(volume(data), mask(labels), Settings(low=0, high=150, filters=(edges,)))
    kept = (labels == 1) & (data >= 0) & (data <= 150)
    response = edges.filter.respond(volume(data)).data
    assert response[kept].min() < 0
    for name, value in (("min", response[kept].min()), ("mean", response[kept].mean())):
        assert table.row("core")[f"log_1mm_stat_{name}"] == pytest.approx(value, rel=1e-5)


def test_the_image_is_interpolated_before_it_is_filtered(data, labels):
    edges = Filtering(filter=LaplacianOfGaussian(sigma_mm=1.0))
    asked = Settings(spacing_mm=(1.0, 1.0, 1.0), filters=(edges,), families=("stat", "ih"))
    table = radiomics(volume(data), mask(labels), asked)
    axes = axes_to(data.T.shape, GRID.spacing_mm[::-1], asked.spacing_mm)
    whole = [(0, axis.count) for axis in axes]
    grid = Geometry.upright(tuple(axis.count for axis in axes)[::-1], spacing_mm=(1.0, 1.0, 1.0))
    finer = volume(interpolated(data.T, axes, whole, method="linear").T, grid)
    there = np.zeros(grid.shape, dtype=np.uint8)
    for label in (1, 4):
        part = interpolated(labels.T, axes, whole, method="linear", label=label).T
        there[part >= 0.5 - 1e-6] = label
    by_hand = radiomics(
        edges.filter.respond(finer), mask(there, grid), Settings(families=("stat", "ih"))
    )
    found = [table.column(f"log_1mm_{name}") for name in by_hand.names]
    np.testing.assert_allclose(np.transpose(found), by_hand.values, rtol=1e-4, atol=1e-3)


def test_a_wide_crop_changes_nothing_where_labels_lie_far_apart(rng):
    grid = Geometry.upright((60, 50, 40), spacing_mm=(0.7, 0.9, 1.3))
    data = rng.normal(0, 50, size=grid.shape).astype(np.float32)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[20:26, 22:27, 18:22] = 1
    labels[30:34, 22:30, 20:23] = 4
    filters = (
        Filtering(filter=LaplacianOfGaussian(sigma_mm=1.0)),
        Filtering(filter=Wavelet(family="coif1", band="HLH")),
    )
    asked = Settings(filters=filters, families=("stat", "loc"))
    far = radiomics(volume(data, grid), mask(labels, grid), asked)
    for filtering in filters:
        whole = volume(filtering.filter.respond(volume(data, grid)).data, grid)
        near = radiomics(whole, mask(labels, grid), Settings(families=("stat", "loc")))
        found = [far.column(f"{filtering.id}_{name}") for name in near.names]
        np.testing.assert_allclose(np.transpose(found), near.values, rtol=1e-6)


def test_a_scale_normalised_laplacian_is_itks_up_to_its_approximation(rng):
    sitk = pytest.importorskip("SimpleITK")
    grid = Geometry.upright((40, 36, 32), spacing_mm=(1.0, 1.0, 1.5))
    data = rng.normal(0, 50, size=grid.shape).astype(np.float32)
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing(grid.spacing_mm)
    recursive = sitk.LaplacianRecursiveGaussianImageFilter()
    recursive.SetNormalizeAcrossScale(True)
    recursive.SetSigma(2.0)
    theirs = sitk.GetArrayFromImage(recursive.Execute(image)).T
    one = Filtering(
        filter=LaplacianOfGaussian(sigma_mm=2.0, boundary=Boundary(beyond="nearest")),
        scale_normalised=True,
    )
    labels = np.ones(grid.shape, dtype=np.uint8)
    labels[:, :, 20:] = 4
    asked = Settings(filters=(one,), original=False, features=("stat_min", "stat_max"))
    table = radiomics(volume(data, grid), mask(labels, grid), asked)
    for row, label in enumerate((1, 4)):
        ends = theirs[labels == label].min(), theirs[labels == label].max()
        np.testing.assert_allclose(table.values[row], ends, rtol=0.02)


def test_labels_without_voxels_and_filters_that_refuse_are_told(data, labels):
    labels = labels.copy()
    labels[labels == 4] = 0
    filters = (Filtering(filter=Mean(support=3)), Filtering(filter=Mean(support=5)))
    table = radiomics(volume(data), mask(labels), Settings(filters=filters, original=False))
    assert np.isnan(table.values[1]).all()
    assert [caveat.code for caveat in table.caveats["rim"]] == ["empty-region"]
    nothing = radiomics(volume(data), mask(np.zeros_like(labels)), Settings(filters=filters))
    assert np.isnan(nothing.values).all()
    pooled = Filtering(filter=Wavelet(family="haar", band="LLH", pooling="mean"))
    with pytest.raises(GeometryError, match=r"filter wavelet_haar_LLH_pooling-mean: .*equal sides"):
        radiomics(volume(data), mask(labels), Settings(filters=(pooled,)))
    data = data.astype(np.float32)
    data[3, 1, 3] = np.nan  # not in the region, but the filter looks at it
    with pytest.raises(ContentError, match=r"filter mean_3: .*not finite"):
        radiomics(volume(data), mask(labels), Settings(filters=filters))


def test_normalised_intensities_are_z_scores_of_the_whole_image(data, labels):
    asked = Settings(normalisation=Normalisation(scale=100.0, outlier_sigma=1.0))
    table = radiomics(volume(data), mask(labels), asked)
    scores = (data - data.mean()) / data.std(ddof=1)
    expected = 100 * scores.clip(-1, 1)[labels == 1]
    assert table.row("core")["stat_mean"] == pytest.approx(expected.mean(), rel=1e-5)
    assert table.row("core")["stat_max"] == pytest.approx(100.0)
    with pytest.raises(ContentError, match="the same"):
        radiomics(volume(np.ones(GRID.shape)), mask(labels), asked)
    broken = data.astype(np.float32)
    broken[0, 0, 0] = np.inf
    with pytest.raises(ContentError, match="not numbers"):
        radiomics(volume(broken), mask(labels), asked)
