"""Drawn lesions, benign and malignant, for tests of what tells them apart."""

from __future__ import annotations

import numpy as np

from onkos.core.case import Case, known_truths
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume


def picture(number: int) -> tuple[Volume, Mask, str]:
    """Ultrasound-like picture: malignant lesions are larger and rougher."""
    rng = np.random.default_rng([3, number])
    malignant = number % 2 == 1
    grid = Geometry.picture((72, 60))
    i, j = np.indices(grid.shape)
    radius = rng.uniform(12, 17) if malignant else rng.uniform(8, 13)
    inside = (i - 36) ** 2 + (1.3 * (j - 30)) ** 2 < radius**2
    grain = rng.normal(0, 25 if malignant else 8, size=grid.shape)
    data = np.clip(np.where(inside, 60, 130) + grain, 0, 255).astype(np.uint8)
    volume = Volume(data=data, geometry=grid, modality="US", unit="1")
    mask = Mask(labels=inside.astype(np.uint8), geometry=grid, names={1: "lesion"})
    return volume, mask, "malignant" if malignant else "benign"


def nodule(number: int) -> tuple[Volume, Mask, str]:
    """Oblique CT volume with a ball: malignant ones larger and less even."""
    rng = np.random.default_rng([5, number])
    malignant = number % 2 == 1
    turned = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
    grid = Geometry.upright(
        (18, 16, 11), spacing_mm=(0.8, 0.7, 1.6), origin_mm=(-90, 31, 8), directions=turned
    )
    place = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    centre = grid.to_mm(np.array([9.0, 8.0, 5.0]))
    radius = rng.uniform(3.4, 4.6) if malignant else rng.uniform(2.4, 3.8)
    inside = np.linalg.norm(place - centre, axis=-1) < radius
    grain = rng.normal(0, 120 if malignant else 40, size=grid.shape)
    data = (np.where(inside, 20.0, -820.0) + grain).astype(np.float32)
    volume = Volume(data=data, geometry=grid, modality="CT", unit="[hnsf'U]")
    mask = Mask(labels=inside.astype(np.uint8), geometry=grid, names={1: "nodule"})
    return volume, mask, "malignant" if malignant else "benign"


def case_of(number: int, make, *, outlined: bool = True) -> Case:
    """Case of a drawn lesion, with two facts that tell nothing."""
    volume, mask, target = make(number)
    facts = {"psa": f"{number + 0.5}", "sex": "F" if number % 3 else "M"}
    study = Study(patient=Patient(id=f"P{number}"), volumes={"image": volume}, facts=facts)
    return Case(
        id=f"case-{number}",
        patient=f"P{number}",
        load=lambda: study,
        truths=known_truths(outline=(lambda: mask) if outlined else None, target=target),
    )
