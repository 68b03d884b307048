"""Law: a damaged series is refused by name, or opened as it lies with what was lost told."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strange
from awkward import geometries
from damage import BYTE_DAMAGES, DAMAGES, trial
from judge import Truth, judge
from onkos.core.geometry import Geometry
from slices import slices, write

SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("damage", [*DAMAGES, *BYTE_DAMAGES])
@settings(max_examples=6)
@given(geometry=geometries(smallest=5, largest=9), seed=SEEDS)
def test_never_silently_wrong(damage: str, geometry: Geometry, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        verdict = trial(Path(folder), damage, geometry, np.random.default_rng(seed))
    assert verdict.kind in ("right", "caveat", "refused"), verdict.why


@pytest.mark.parametrize("kind", list(strange.KINDS))
@settings(max_examples=6)
@given(seed=SEEDS)
def test_what_peers_got_wrong_is_right_told_or_refused(kind: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        verdict = strange.trial(Path(folder), kind, np.random.default_rng(seed))
    assert verdict.kind in ("right", "caveat", "refused"), verdict.why


@given(geometry=geometries(smallest=5, largest=9), seed=SEEDS)
@settings(max_examples=5)
def test_the_judge_notices_a_wrong_truth(geometry: Geometry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = slices(geometry, rng)
    truth = Truth()
    truth.add(sound)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), sound)
        assert judge(Path(folder), truth).kind == "right"
        uid = str(sound[2].SOPInstanceUID)
        truth.affines[uid] = truth.affines[uid] + np.array([[0, 0, 9.0]] * 3)
        assert judge(Path(folder), truth).kind == "wrong"
        truth.affines[uid] = truth.affines[uid] - np.array([[0, 0, 9.0]] * 3)
        truth.values[uid] = truth.values[uid][::-1]
        assert judge(Path(folder), truth).kind == "wrong"


@given(geometry=geometries(smallest=5, largest=9), seed=SEEDS)
@settings(max_examples=5)
def test_the_order_of_files_does_not_matter(geometry: Geometry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = slices(geometry, rng)
    truth = Truth()
    truth.add(sound)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "b", [sound[k] for k in rng.permutation(len(sound))][:3])
        write(Path(folder) / "a" / "c", sound)  # three of them lie there twice: copies
        assert judge(Path(folder) / "a", truth).kind == "right"
        assert judge(Path(folder), truth).why == "duplicate-slices"
