"""Simulated patients with a glioma (phantom): images, true outline, and true change."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import UsageError
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.phantom.anatomy import Head
from onkos.phantom.glioma import Glioma
from onkos.phantom.patient import BrainPhantom, PhantomPatient
from onkos.phantom.tissue import Tissue, tissues
from onkos.phantom.visit import examine

__all__ = [
    "BrainPhantom",
    "Change",
    "PhantomPatient",
    "cohort",
    "follow_up",
    "simulate",
    "simulated",
]

_RELEASE = "brain-1"  # of the simulation: changes when the same seed gives other patients
_FIRST_DAY = datetime.date(2000, 1, 3)
_ABNORMAL = ("gliosis", "oedema", "tumour", "enhancing", "necrosis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Volume at follow-up relative to baseline of each tissue; 0 for one that has disappeared.

    ``core`` is necrosis, enhancing and non-enhancing tumour together. ``necrosis`` is the factor
    of the necrotic part, which cannot exceed the core.
    """

    core: float = 1.0
    oedema: float = 1.0
    necrosis: float = 1.0

    def __post_init__(self) -> None:
        if min(self.core, self.oedema, self.necrosis) < 0:
            raise UsageError(f"{self}: a volume cannot be negative; expected factors of 0 or more")


def simulate(
    settings: BrainPhantom, *, rng: np.random.Generator, number: int = 1
) -> PhantomPatient:
    """Simulate one patient with a glioma.

    Parameters
    ----------
    settings
        Settings of the simulation.
    rng
        Random generator: the same state gives the same patient, its UIDs included.
    number
        Number in the patient's id, e.g. 7 for ``PHANTOM-0007``.

    Returns
    -------
    PhantomPatient
        The patient; its study says in its id, name, description and caveats that it is a phantom.
    """
    for_head, for_glioma, for_scan = rng.spawn(3)
    head = Head.draw(for_head)
    grid = settings.head_grid
    healthy = head.depths(grid)
    glioma = Glioma.draw(for_glioma, grid=grid, depths=healthy)
    patient = Patient(
        id=f"PHANTOM-{number:04d}",
        name=f"Phantom^{number:04d}",
        sex=str(for_head.choice(["F", "M"])),
    )
    day = _FIRST_DAY + datetime.timedelta(days=int(for_head.integers(0, 3650)))
    table = _draw_tissues(settings.field_t, for_glioma)
    visit = Study(patient=patient, date=day, description="Glioma protocol, phantom")
    return examine(visit, settings=settings, head=head, glioma=glioma, tissues=table, rng=for_scan)


def follow_up(
    patient: PhantomPatient,
    *,
    change: Change,
    days: int = 90,
    rng: np.random.Generator,
) -> PhantomPatient:
    """Simulate a later examination of the same head, its tumour changed by a known amount.

    Position of the head, grid, coil sensitivity, scale and noise are drawn anew, and the mass
    effect follows the tumour's new size.

    Parameters
    ----------
    patient
        The earlier examination.
    change
        Change of each tissue's volume.
    days
        Time between the two.
    rng
        Random generator of the new scan.

    Returns
    -------
    PhantomPatient
        The later examination, with the same patient id. Its ``volumes_ml`` are the earlier ones
        times the change, limited by the room in the brain.

    Raises
    ------
    UsageError
        If ``days`` is not positive.
    """
    if days < 1:
        raise UsageError(f"follow-up after {days} days: expected at least 1")
    before = patient.volumes_ml
    glioma = patient.glioma.changed(
        {
            "core": change.core * before["core"],
            "oedema": change.oedema * before["oedema"],
            "necrosis": change.necrosis * before["necrosis"],
        },
        growth=change.core,
    )
    day = (patient.study.date or _FIRST_DAY) + datetime.timedelta(days=days)
    visit = Study(
        patient=patient.study.patient, date=day, description="Glioma protocol, phantom, follow-up"
    )
    return examine(
        visit,
        settings=patient.settings,
        head=patient.head,
        glioma=glioma,
        tissues=patient.tissues,
        rng=rng,
    )


def simulated(settings: BrainPhantom, *, seed: int, number: int) -> PhantomPatient:
    """Patient ``number`` of a seed; it does not depend on the other patients simulated."""
    rng = np.random.default_rng([seed, number])
    return simulate(settings, rng=rng, number=number)


def cohort(n: int, *, settings: BrainPhantom, seed: int) -> Cohort:
    """Cohort of ``n`` simulated patients, each simulated on access.

    Patient i of a seed is the same in a cohort of any size.

    Raises
    ------
    UsageError
        If ``n`` is not positive.
    """
    if n < 1:
        raise UsageError(f"a cohort of {n} phantoms: expected at least 1")
    described = f"{_RELEASE} {settings} seed {seed} n {n}"
    return Cohort(
        name="brain phantom",
        cases=tuple(
            Case(
                id=f"PHANTOM-{number:04d}",
                patient=f"PHANTOM-{number:04d}",
                load=partial(_study, settings, seed, number),
                truths=known_truths(outline=partial(_truth, settings, seed, number)),
                site="phantom",
            )
            for number in range(1, n + 1)
        ),
        fingerprint=hashlib.sha256(described.encode()).hexdigest(),
        simulated=True,
    )


@lru_cache(maxsize=1)
def _last_simulated(settings: BrainPhantom, seed: int, number: int) -> PhantomPatient:
    """Cache of one patient, as its study and its truth are usually loaded in turn."""
    return simulated(settings, seed=seed, number=number)


def _study(settings: BrainPhantom, seed: int, number: int) -> Study:
    return _last_simulated(settings, seed, number).study


def _truth(settings: BrainPhantom, seed: int, number: int) -> Mask:
    return _last_simulated(settings, seed, number).truth


def _draw_tissues(field_t: float, rng: np.random.Generator) -> dict[str, Tissue]:
    """Draw this patient's relaxation times: healthy tissue varies little, diseased much."""
    table = {}
    for name, tissue in tissues(field_t).items():
        spread = 0.09 if name in _ABNORMAL else 0.025
        t1, t2 = np.exp(rng.normal(0.0, spread, size=2))
        table[name] = replace(
            tissue,
            t1_ms=tissue.t1_ms * float(t1),
            t2_ms=tissue.t2_ms * float(t2),
            gadolinium_mm=tissue.gadolinium_mm * float(np.exp(rng.normal(0.0, 0.3))),
        )
    table["csf"] = tissues(field_t)["csf"]  # FLAIR is set to null it
    return table
