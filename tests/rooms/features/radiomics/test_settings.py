"""Settings: plain and back, refused keys and values, a hash of the meaning."""

from __future__ import annotations

import dataclasses

import pytest

from onkos.core.errors import UsageError
from onkos.features.radiomics import Settings


def test_settings_come_back_from_their_plain_form():
    made = Settings(spacing_mm=(2, 2, 3), low=-500, discretisation="width", bins=25)
    again = Settings.from_plain(made.to_plain())
    assert again == made
    assert again.hash == made.hash


def test_an_unknown_key_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'binWidth'.*bins"):
        Settings.from_plain({"binWidth": 25})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("interpolation", "lanczos"),
        ("discretisation", "fbn"),
        ("families", ("glcm",)),
        ("aggregations", ("3D",)),
        ("spacing_mm", (1.0,)),
        ("spacing_mm", (1.0, -1.0)),
        ("bins", 0),
        ("bins", 3.5),
        ("bins", float("nan")),
        ("ivh_bins", 0),
        ("outlier_sigma", -3),
        ("mask_threshold", 0.0),
        ("dependence", -1),
    ],
)
def test_a_value_that_cannot_be_is_refused(key, value):
    with pytest.raises(UsageError, match=key):
        Settings(**{key: value})


def test_a_range_upside_down_is_refused():
    with pytest.raises(UsageError, match="low below high"):
        Settings(low=10, high=-10)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bins", "25"),
        ("round_to_integer", 1),
        ("spacing_mm", 2.0),
        ("families", [1]),
        ("dependence", 0.5),
        ("low", True),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(key, value):
    with pytest.raises(UsageError, match=key):
        Settings.from_plain({key: value})


def test_equal_settings_have_equal_hashes_and_others_do_not():
    assert Settings(bins=32).hash == Settings(bins=32.0).hash
    changed = [
        Settings(bins=16),
        Settings(low=0),
        Settings(aggregations=("3D_avg",)),
        Settings(round_to_integer=True),
        Settings(interpolation="cubic"),
    ]
    assert len({made.hash for made in (Settings(), *changed)}) == 6


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().bins = 3
