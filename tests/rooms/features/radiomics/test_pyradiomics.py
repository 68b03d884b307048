"""Parameter files of PyRadiomics: what they become, what is named, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from onkos.core.errors import UsageError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.filters import LaplacianOfGaussian, Wavelet
from onkos.features.radiomics import Normalisation, Settings, radiomics
from onkos.features.radiomics.pyradiomics import is_parameters, names, translate


def settings(**setting) -> Settings:
    return translate({"setting": setting, "featureClass": {"firstorder": ["Mean"]}}).settings


def about(plain) -> dict[str, str]:
    """Kind of each difference by what it is about."""
    return {one.about: one.kind for one in translate(plain).differences}


def test_the_defaults_are_pyradiomics_own():
    made = translate({"setting": {}})
    asked = made.settings
    assert (asked.discretisation, asked.bins, asked.first_bin) == ("width", 25.0, "multiple")
    assert asked.aggregations == ("3D_avg",)
    assert asked.families == ("morph", "stat", "ih", "cm", "rlm", "szm", "ngt", "ngl")
    assert asked.spacing_mm is None
    assert asked.filters == ()
    assert len(made.columns) == 11 + 17 + 23 + 16 + 16 + 14 + 5
    assert made.columns["original_glcm_Contrast"] == "cm_contrast_3D_avg_ACUI"
    assert made.columns["original_gldm_SmallDependenceEmphasis"] == "ngl_lde_3D_SODN"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"binWidth": 5}, {"discretisation": "width", "bins": 5.0}),
        ({"binCount": 64}, {"discretisation": "number", "bins": 64.0}),
        ({"binCount": 64, "binWidth": 5}, {"discretisation": "number", "bins": 64.0}),
        ({"binWidth": None}, {"bins": 25.0}),
        (
            {"resampledPixelSpacing": [1, 2, 3]},
            {
                "spacing_mm": (1.0, 2.0, 3.0),
                "interpolation": "cubic",
                "mask_interpolation": "nearest",
                "alignment": "corner",
                "keep_type": True,
            },
        ),
        ({"resampledPixelSpacing": [2, 2, 0]}, {"spacing_mm": (2.0, 2.0)}),
        ({"resampledPixelSpacing": [0, 0, 0]}, {"spacing_mm": None}),
        ({"resampledPixelSpacing": [1, 1, 1], "interpolator": None}, {"spacing_mm": None}),
        (
            {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkLinear"},
            {"interpolation": "linear"},
        ),
        (
            {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkNearestNeighbor"},
            {"interpolation": "nearest"},
        ),
        ({"normalize": True}, {"normalisation": Normalisation()}),
        (
            {"normalize": True, "normalizeScale": 100, "removeOutliers": 3},
            {"normalisation": Normalisation(scale=100.0, outlier_sigma=3)},
        ),
        ({"normalize": False, "normalizeScale": 100}, {"normalisation": None}),
        ({"resegmentRange": [400, -50]}, {"low": -50.0, "high": 400.0, "outlier_sigma": None}),
        ({"resegmentRange": [0]}, {"low": 0.0, "high": None}),
        (
            {"resegmentRange": [-3, 3], "resegmentMode": "sigma"},
            {"outlier_sigma": 3.0, "low": None},
        ),
        ({"force2D": True}, {"aggregations": ("2_5D_avg",)}),
        ({"weightingNorm": "no_weighting"}, {"aggregations": ("3D_comb",)}),
        ({"gldm_a": 1}, {"dependence": 1}),
    ],
    ids=str,
)
def test_settings_become_ours(setting, expected):
    made = settings(**setting)
    assert {name: getattr(made, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"binwidth": 25}, r"unknown \['binwidth'\]; known are minimumROIDimensions"),
        ({"binWidth": 0}, "binWidth = 0; expected a number above 0"),
        ({"binWidth": True}, "binWidth"),
        ({"binCount": 32.5}, "binCount"),
        ({"interpolator": "sitkGaussian", "resampledPixelSpacing": [1, 1, 1]}, "sitkBSpline"),
        ({"resampledPixelSpacing": [0, 0, 2]}, "0 for the last alone"),
        ({"resampledPixelSpacing": [1, 1]}, "three lengths"),
        ({"resegmentRange": [0.4], "resegmentMode": "relative"}, "resegmentMode relative"),
        ({"resegmentRange": [-1, 3], "resegmentMode": "sigma"}, r"\[-n, n\] alone"),
        ({"resegmentRange": [1, 2, 3]}, "one or two numbers"),
        ({"resegmentRange": [0], "resegmentShape": True}, "resegmentShape true"),
        ({"distances": [1, 2]}, r"distances \[1, 2\]"),
        ({"symmetricalGLCM": False}, "symmetricalGLCM"),
        ({"weightingNorm": "euclidean"}, "weightingNorm euclidean"),
        ({"weightingNorm": "chebyshev"}, "expected euclidean"),
        ({"force2D": True, "force2Ddimension": 1}, "force2Ddimension 1"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_refused_with_a_sentence(setting, told):
    with pytest.raises(UsageError, match=told):
        settings(**setting)


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"inputImage": {"Original": {}}}, "known are imageType, featureClass"),
        ({"featureClass": {"glcmm": None}}, "known are firstorder, shape, glcm"),
        ({"featureClass": {"shape": ["Volume"]}}, "unknown .*'Volume'.*VoxelVolume"),
        ({"featureClass": {"glcm": "Contrast"}}, "list of features"),
        ({"featureClass": {"shape2D": None}}, "none of the features"),
        ({"featureClass": None}, "expected a table"),
        ({"imageType": {"Laplace": {}}}, "known are Original, LoG"),
        ({"imageType": {"Original": None}}, "expected a table"),
        ({"imageType": {"Square": {}}, "featureClass": {"glcm": None}}, "nothing to extract"),
        ({"imageType": {"LoG": {"sigma": [1.0], "gldm_a": 1}}}, "for this image alone"),
        ({"imageType": {"Wavelet": {"wavelet": "db99"}}}, "db99"),
        ({"voxelSetting": {"radius": 1}}, "kernelRadius"),
    ],
    ids=str,
)
def test_what_pyradiomics_would_refuse_is_refused(plain, told):
    with pytest.raises(UsageError, match=told):
        translate(plain)


def test_every_feature_that_pyradiomics_knows_has_a_column_or_a_reason():
    for group in names.SAME:
        for name in names.known(group):
            tag = names.tag(group, name, "3D_avg")
            absent = (group, name) in names.ABSENT or (group, name) in names.DEPRECATED
            assert (tag is None) == absent, (group, name)


def test_features_named_are_the_columns_and_their_differences_are_told():
    plain = {
        "featureClass": {
            "firstorder": ["Kurtosis", "Energy", "TotalEnergy"],
            "shape": ["Flatness", "MajorAxisLength", "Compactness2"],
            "glcm": ["MCC", "Idm", "Homogeneity2"],
        },
        "setting": {"voxelArrayShift": 1000},
    }
    made = translate(plain)
    assert made.settings.features == (
        "stat_kurt",
        "stat_energy",
        "morph_pca_flatness",
        "morph_pca_maj_axis",
        "morph_comp_2",
        "cm_inv_diff_mom_3D_avg",
    )
    kinds = about(plain)
    for name in ("firstorder Kurtosis", "firstorder Energy", "shape MajorAxisLength"):
        assert kinds[name] == "differs"
    for name in ("firstorder TotalEnergy", "glcm MCC", "glcm Homogeneity2"):
        assert kinds[name] == "left out"
    assert "shape Flatness" not in kinds
    assert "glcm Idm" not in kinds
    assert "firstorder Energy" not in about({"featureClass": {"firstorder": ["Energy"]}})


@pytest.mark.parametrize(
    "setting",
    [
        {"padDistance": 10},
        {"preCrop": True},
        {"correctMask": True},
        {"geometryTolerance": 0.001},
        {"additionalInfo": True},
        {"minimumROISize": 50},
        {"minimumROIDimensions": 2},
        {"label_channel": 0},
        {"normalizeScale": 10},
        {"removeOutliers": 3},
        {"resampledPixelSpacing": [1, 1, 1]},
        {"label": 2},
        {"binCount": 8, "binWidth": 1},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_a_setting_that_has_nothing_or_something_else_to_set_is_told(setting):
    key = "binWidth" if "binCount" in setting else next(iter(setting))
    assert f"setting {key}" in about({"setting": setting})


def test_image_types_are_filters_with_bins_of_their_own():
    made = translate(
        {
            "imageType": {
                "Original": {"binWidth": 20},
                "LoG": {"sigma": [1.5, 3], "binWidth": 5},
                "Wavelet": {"binCount": 16},
                "Gradient": {},
                "LBP3D": {"lbp3DLevels": 2},
            },
            "featureClass": {"firstorder": ["Mean"], "shape": ["Flatness"]},
        }
    )
    first, second, *bands = made.settings.filters
    assert made.settings.bins == 20.0
    assert [first.id, second.id] == ["log-sigma-1-5-mm-3D", "log-sigma-3-mm-3D"]
    assert isinstance(first.filter, LaplacianOfGaussian)
    assert (first.filter.sigma_mm, first.bins, first.scale_normalised) == (1.5, 5.0, True)
    assert [one.id for one in bands[:2]] == ["wavelet-LLL", "wavelet-LLH"]
    assert len(bands) == 8
    assert isinstance(bands[0].filter, Wavelet)
    assert (bands[0].filter.family, bands[0].discretisation, bands[0].bins) == (
        "coif1",
        "number",
        16,
    )
    kinds = {one.about: one.kind for one in made.differences}
    assert kinds["imageType Gradient"] == kinds["imageType LBP3D"] == "left out"
    assert kinds["imageType LoG"] == kinds["imageType Wavelet"] == "differs"
    assert set(made.columns) == {
        "original_shape_Flatness",
        "original_firstorder_Mean",
        "log-sigma-1-5-mm-3D_firstorder_Mean",
        "log-sigma-3-mm-3D_firstorder_Mean",
        *(f"{band.id}_firstorder_Mean" for band in bands),
    }


def test_wavelets_beyond_the_first_level_are_left_out():
    plain = {"imageType": {"Original": {}, "Wavelet": {"level": 2}}, "setting": {"force2D": True}}
    made = translate(plain)
    assert [one.id for one in made.settings.filters] == ["wavelet-LH", "wavelet-HL", "wavelet-HH"]
    assert about(plain)["imageType Wavelet, levels 2 to 2"] == "left out"
    plain["imageType"]["Wavelet"] = {"start_level": 1}
    assert translate(plain).settings.filters == ()
    assert about(plain)["imageType Wavelet, start_level 1"] == "left out"


def test_a_laplacian_without_sigma_is_told():
    assert about({"imageType": {"Original": {}, "LoG": {}}})["imageType LoG"] == "left out"


def test_our_own_settings_are_not_taken_for_pyradiomics():
    assert not is_parameters(Settings(bins=8).to_plain())
    assert is_parameters({"setting": {}})
    assert is_parameters({"inputImage": {}})
    assert not is_parameters([1])


def test_every_column_named_is_in_the_table(rng):
    grid = Geometry.upright((14, 12, 9), spacing_mm=(0.8, 1.1, 2.5))
    data = rng.integers(-200, 300, size=grid.shape).astype(np.int16)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    labels[3:10, 3:9, 2:7] = 1
    image = Volume(data=data, geometry=grid, modality="MR", unit="1")
    made = translate(
        {
            "imageType": {"LoG": {"sigma": [2.0]}, "Wavelet": {"wavelet": "haar"}},
            "setting": {
                "force2D": True,
                "normalize": True,
                "normalizeScale": 100,
                "resampledPixelSpacing": [1, 1, 0],
            },
        }
    )
    table = radiomics(image, Mask(labels=labels, geometry=grid, names={1: "a"}), made.settings)
    assert set(made.columns.values()) == set(table.columns)
    assert not any(re.match("original_(?!shape)", name) for name in made.columns)
    assert np.isfinite(table.values).all()


def test_interpolated_whole_numbers_are_cut_where_the_image_has_such(rng):
    grid = Geometry.upright((9, 8, 7), spacing_mm=(1.0, 1.0, 1.0))
    data = rng.integers(-9, 9, size=grid.shape).astype(np.int16)
    labels = np.ones(grid.shape, dtype=np.uint8)
    mask = Mask(labels=labels, geometry=grid, names={1: "a"})
    asked = settings(resampledPixelSpacing=[0.7, 0.7, 0.7], interpolator="sitkLinear")
    asked = Settings.from_plain(asked.to_plain() | {"features": ["stat_max", "stat_min"]})
    plain = Settings.from_plain(asked.to_plain() | {"keep_type": False})
    whole, cut, floats = (
        radiomics(Volume(data=d, geometry=grid, modality="MR", unit="1"), mask, one).values
        for d, one in ((data, plain), (data, asked), (data.astype(np.float32), asked))
    )
    np.testing.assert_array_equal(cut, np.trunc(whole))
    np.testing.assert_array_equal(floats, whole)
