"""Patients where a set does not name them."""

from __future__ import annotations

import numpy as np

from onkos.cohort.layouts.alike import patients_of
from onkos.cohort.leakage import fingerprint


def smooth(rng):
    return np.kron(rng.uniform(0, 255, (8, 8)), np.ones((8, 8)))


def test_copies_brightened_or_scaled_are_one_patient_and_others_are_not(rng):
    a, b, c = (smooth(rng) for _ in range(3))
    pictures = {
        "a": a,
        "b": b,
        "a-bright": a * 0.5 + 40,
        "c": c,
        "a-large": np.kron(a, np.ones((2, 2))),
    }
    found = patients_of({name: fingerprint(pixels) for name, pixels in pictures.items()})
    assert found == {"a": "a", "b": "b", "a-bright": "a", "c": "c", "a-large": "a"}


def test_likeness_is_followed_from_one_to_the_next(rng):
    first, last = smooth(rng), smooth(rng)
    steps = [first + (last - first) * part for part in np.linspace(0, 1, 12)]
    found = patients_of({str(n): fingerprint(one) for n, one in enumerate(steps)})
    assert set(found.values()) == {"0"}
    assert patients_of({"0": fingerprint(first), "1": fingerprint(last)})["1"] == "1"


def test_no_pictures_are_no_patients():
    assert patients_of({}) == {}
