"""Signal equations, contrast agent and noise, against the formulae and their known limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.core.errors import UsageError
from onkos.io.export.series import MRAcquisition
from onkos.phantom.scanner import protocol
from onkos.phantom.signal import null_time_ms, rician, signal
from onkos.phantom.tissue import RELAXIVITY, Tissue, tissues

WATER = Tissue(density=0.8, t1_ms=1000.0, t2_ms=100.0, gadolinium_mm=0.4)


def spin_echo(**changes: float | str) -> MRAcquisition:
    made = {"sequence": "SE", "repetition_ms": 500.0, "echo_ms": 20.0, "field_t": 3.0}
    return MRAcquisition(**(made | changes))


def test_spin_echo_follows_its_equation() -> None:
    expected = 0.8 * (1 - math.exp(-0.5)) * math.exp(-0.2)
    assert signal(WATER, spin_echo()) == pytest.approx(expected, rel=1e-12)


def test_contrast_agent_adds_to_both_rates() -> None:
    r1, r2 = RELAXIVITY[3.0]
    rate1, rate2 = 1.0 + r1 * 0.4, 10.0 + r2 * 0.4  # 1/s
    expected = 0.8 * (1 - math.exp(-0.5 * rate1)) * math.exp(-0.02 * rate2)
    assert signal(WATER, spin_echo(contrast_agent="Gd")) == pytest.approx(expected, rel=1e-12)


def test_inversion_recovery_nulls_at_its_null_time() -> None:
    null_ms = null_time_ms(WATER.t1_ms, repetition_ms=6000.0)
    at_null = spin_echo(sequence="IR", repetition_ms=6000.0, inversion_ms=null_ms)
    before = spin_echo(sequence="IR", repetition_ms=6000.0, inversion_ms=0.5 * null_ms)
    assert signal(WATER, at_null) == pytest.approx(0.0, abs=1e-12)
    assert signal(WATER, before) < -0.05


@pytest.mark.parametrize("field_t", [1.5, 3.0])
def test_contrasts_are_in_the_order_a_radiologist_knows(field_t: float) -> None:
    known = tissues(field_t)
    seen = {
        role: {name: abs(signal(tissue, made)) for name, tissue in known.items()}
        for role, made in protocol(field_t).items()
    }
    assert seen["t1"]["white"] > seen["t1"]["grey"] > seen["t1"]["csf"]
    assert seen["t2"]["csf"] > seen["t2"]["oedema"] > seen["t2"]["grey"] > seen["t2"]["white"]
    assert seen["flair"]["oedema"] > seen["flair"]["grey"] > 20 * seen["flair"]["csf"]
    assert seen["t1c"]["enhancing"] > 1.5 * seen["t1"]["enhancing"]
    assert seen["t1c"]["enhancing"] > seen["t1c"]["white"] > seen["t1c"]["necrosis"]
    assert seen["t1c"]["white"] == seen["t1"]["white"]


@pytest.mark.parametrize(
    "made", [spin_echo(sequence="EP"), spin_echo(sequence="IR")], ids=["unknown", "no TI"]
)
def test_what_has_no_equation_is_refused(made: MRAcquisition) -> None:
    with pytest.raises(UsageError, match="expected SE, or IR"):
        signal(WATER, made)


def test_a_field_strength_without_a_table_is_refused() -> None:
    with pytest.raises(UsageError, match=r"7\.0 T"):
        tissues(7.0)


def test_noise_in_air_is_rayleigh_and_in_tissue_rician(rng: np.random.Generator) -> None:
    air = rician(np.zeros((40, 70, 90), dtype=np.float32), sigma=5.0, rng=rng)
    assert air.mean() / air.std() == pytest.approx(1.913, rel=0.01)
    assert air.mean() == pytest.approx(5.0 * math.sqrt(math.pi / 2), rel=0.01)
    tissue = rician(np.full((40, 70, 90), 10.0, dtype=np.float32), sigma=5.0, rng=rng)
    assert float(np.mean(tissue.astype(np.float64) ** 2)) == pytest.approx(150.0, rel=0.01)
