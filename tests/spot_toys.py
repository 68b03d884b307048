"""Images with bright spots at known places, for tests of what finds lesions (phantoms)."""

from __future__ import annotations

from functools import partial

import numpy as np

from onkos.core.answers import Finding, Findings
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.geometry import Geometry
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume

RADIUS = 4.0


def spotted(number: int, *, axes: int = 3, boxes: bool = False) -> tuple[Study, Findings]:
    """An oblique volume in millimetres, or a picture in pixels, with 0 to 2 spots of one size."""
    rng = np.random.default_rng([9, number, axes])
    turned = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
    if axes == 3:
        grid = Geometry.upright(
            (40, 34, 18), spacing_mm=(1.5, 1.8, 3.0), origin_mm=(31, -40, 88), directions=turned
        )
    else:
        grid = Geometry.picture((61, 47))
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    places = grid.to_mm(index) if axes == 3 else index.astype(float)
    data = rng.normal(0, 4, size=grid.shape)
    centres = []
    edge = 0.2 * np.array(grid.shape)
    while len(centres) < number % 3:
        at = rng.uniform(edge, np.array(grid.shape) - edge)
        centre = grid.to_mm(at) if axes == 3 else at
        if all(np.linalg.norm(centre - other) > 5 * RADIUS for other in centres):
            centres.append(centre)
    for centre in centres:
        data += 60 * np.exp(-((np.linalg.norm(places - centre, axis=-1) / RADIUS) ** 2))
    marks = tuple(
        Finding(centre=tuple(c.tolist()), size=(2 * RADIUS,) * axes if boxes else ())
        for c in centres
    )
    volume = Volume(data=data.astype(np.float32), geometry=grid, modality="CT", unit="1")
    study = Study(patient=Patient(id=f"P{number}"), volumes={"image": volume})
    return study, Findings(marks=marks, unit="mm" if axes == 3 else "px")


def spotted_cohort(patients: int, *, axes: int = 3, boxes: bool = False) -> Cohort:
    """A case a patient, of two sites."""
    return Cohort(
        name="spots",
        cases=tuple(
            Case(
                id=f"case-{n}",
                patient=f"P{n}",
                load=partial(_study, n, axes),
                truths=known_truths(lesions=spotted(n, axes=axes, boxes=boxes)[1]),
                site="AB"[n % 2],
            )
            for n in range(patients)
        ),
        fingerprint=f"spots-{axes}-{boxes}",
        simulated=True,
    )


def _study(number: int, axes: int) -> Study:
    return spotted(number, axes=axes)[0]
