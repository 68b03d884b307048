"""Tags and identifiers."""

from __future__ import annotations

from onkos.features.radiomics.catalogue import (
    AGGREGATIONS,
    FAMILIES,
    aggregation_identifier,
    identifier,
    tags,
)


def test_the_reference_set_has_its_number_of_features():
    sizes = {family: len(known) for family, known in FAMILIES.items()}
    assert sizes == {
        "morph": 29, "loc": 2, "stat": 18, "ih": 23, "ivh": 7, "cm": 25,
        "rlm": 16, "szm": 16, "dzm": 16, "ngt": 5, "ngl": 17,
    }  # fmt: skip
    assert len(tags(tuple(FAMILIES), tuple(AGGREGATIONS))) == 487


def test_identifiers_are_permanent_and_unique_but_for_the_histogram_s_pairs():
    codes = [code for known in FAMILIES.values() for code in known.values()]
    assert all(len(code) == 4 for code in codes)
    assert len(codes) - len(set(codes)) == 2
    assert identifier("morph_volume") == "RNU0"
    assert identifier("stat_mean") == "Q4LE"
    assert identifier("cm_joint_max_3D_comb") == "GYBY"
    assert identifier("ngl_dc_energy_2_5D") == "CAS9"
    assert identifier("cm_inv_diff_mom_norm_2_5D_avg") == "1QCO"


def test_aggregations_have_identifiers():
    assert aggregation_identifier("cm_contrast_3D_comb") == "IAZD"
    assert aggregation_identifier("cm_contrast_2_5D_avg") == "JJUI"
    assert aggregation_identifier("szm_sze_2D") == "8QNN"
    assert aggregation_identifier("morph_volume") == ""


def test_every_tag_finds_its_identifier():
    for tag in tags(tuple(FAMILIES), tuple(AGGREGATIONS)):
        assert len(identifier(tag)) == 4
