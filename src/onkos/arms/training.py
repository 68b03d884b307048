"""What arms have in common when they learn: names of tissues, truth on the scan, the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from onkos.core.card import Card
from onkos.core.case import Case, Cohort
from onkos.core.desk import Desk
from onkos.core.errors import CohortError, ModelError
from onkos.core.mask import Mask
from onkos.core.source import PHANTOM, Caveat
from onkos.core.study import Study
from onkos.core.task import Task
from onkos.core.version import __version__
from onkos.features.threads import each, slabs
from onkos.prep.scan import Scan, common_roles, prepare

T = TypeVar("T")

INTENDED_USE = (
    "Outlining of brain tumour on MR images of the kinds it was fitted on, for research; "
    "not for diagnosis or treatment."
)


def tissues(cases: Sequence[Case]) -> dict[int, str]:
    """Labels and names to predict: those of the reference outlines, in their order.

    A prediction so has the same numbers as the outlines it was learnt from. A tissue that two
    outlines number differently keeps its first number.

    Raises
    ------
    CohortError
        If no reference outline names a tissue, or one number means two tissues.
    """
    names: dict[int, str] = {}
    for case in cases:
        for label, name in case.outline.names.items():
            if name not in names.values() and names.setdefault(label, name) != name:
                raise CohortError(
                    f"case {case.id}: label {label} is {name!r} here and {names[label]!r} in a "
                    "case before it; expected one meaning a number; renumber the outlines"
                )
    if not names:
        raise CohortError("no reference outline names a tissue; expected e.g. core and oedema")
    return names


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingSet:
    """Cases to learn outlines from, each read from disk once.

    Parameters
    ----------
    cases
        With reference outlines.
    roles, reference
        Images that every case has, and the one that is outlined on.
    names
        Labels and names of the tissues.
    first
        The study of the first case, opened to learn what images there are.
    desk
        Threads, whom to tell, and the scratch folder that scans made ready are kept in, so that
        a second pass over the cases reads no study again.
    """

    cases: tuple[Case, ...]
    roles: tuple[str, ...]
    reference: str
    names: Mapping[int, str]
    first: Study
    desk: Desk

    @classmethod
    def of(cls, cases: Sequence[Case], desk: Desk) -> TrainingSet:
        """Find out what the cases have in common.

        Raises
        ------
        CohortError
            If there are no cases, they share no image role, or one of them has no outline.
        """
        if not cases:
            raise CohortError("no cases to fit on; expected at least one with a reference outline")
        first = cases[0].study
        roles, reference = common_roles(first, [case.glance.roles for case in cases[1:]])
        return cls(
            cases=tuple(cases),
            roles=roles,
            reference=reference,
            names=tissues(cases),
            first=first,
            desk=desk,
        )

    def over(
        self,
        work: Callable[[int, Case, Scan], T],
        *,
        among: Sequence[int] | None = None,
        what: str = "describing",
    ) -> list[T]:
        """Call ``work(number, case, scan)`` for cases; the answers are in their order.

        Only as many cases as threads are held at once, so a cohort of any size fits.

        Parameters
        ----------
        work
            ``number`` counts the chosen cases from 0.
        among
            Numbers of the chosen cases; all of them if not given.
        what
            Told while it goes on.
        """
        chosen = range(len(self.cases)) if among is None else among
        done = count(1)

        def one(number: int, _stop: int) -> T:
            place = chosen[number]
            case = self.cases[place]
            try:
                found = work(number, case, self._scan(place))
            except ModelError as error:
                raise CohortError(f"case {case.id}: {error}") from error
            self.desk.tell(next(done), len(chosen), what)
            return found

        jobs = slabs(len(chosen), parts=len(chosen))
        return each(one, jobs, threads=self.desk.threads)

    def _scan(self, place: int) -> Scan:
        """Scan of a case: from scratch where it lies there, else made from the study."""
        folder = self.desk.scratch
        kept = folder / f"scan-{place}.npz" if folder else None
        if kept is not None and kept.is_file():
            return Scan.load(kept)
        study = self.first if place == 0 else self.cases[place].study
        scan = prepare(study, self.roles, reference=self.reference)
        if kept is not None:
            scan.save(kept)
        return scan


def truth_on(scan: Scan, truth: Mask, names: Mapping[int, str]) -> NDArray[np.uint8]:
    """Classes in the scan's box: 0 is healthy, n the n-th of the names, whatever its label."""
    labels = scan.cut(truth.on(scan.geometry))
    wanted = list(names.values())
    classes = np.zeros(labels.shape, dtype=np.uint8)
    for label, name in truth.names.items():
        classes[labels == label] = 1 + wanted.index(name)
    return classes


def make_card(arm: str, training: TrainingSet, *, settings: Mapping[str, Any]) -> Card:
    """Card of a model just fitted; estimates and errors are added by who measures them."""
    cases, study = training.cases, training.first
    return Card(
        arm=arm,
        task=Task.SEGMENT,
        site="brain",
        modality=study.volumes[training.reference].modality,
        roles=training.roles,
        reference=training.reference,
        tissues=dict(training.names),
        intended_use=INTENDED_USE,
        cohort=", ".join(sorted({case.site for case in cases if case.site})),
        patients=len({case.patient for case in cases}),
        simulated=any(caveat.code == PHANTOM.code for caveat in study.all_caveats),
        settings=dict(settings),
        version=__version__,
    )


def require_outlines(cohort: Cohort) -> None:
    """Refuse, before anything runs, a cohort in which a case has no reference outline.

    Raises
    ------
    CohortError
        With the first cases that have none.
    """
    without = [case.id for case in cohort.cases if not case.outlined]
    if without:
        raise CohortError(
            f"{len(without)} cases have no reference outline, first {without[:5]}; give a mask "
            "column, or leave these cases out"
        )


def caveats(scan: Scan, classes: NDArray[np.uint8]) -> tuple[Caveat, ...]:
    """What limits an outline: cut off at the image's edge, nothing found, images that end early."""
    found = []
    if not classes.any():
        text = "Nothing was outlined; that does not mean that there is no tumour."
        found.append(Caveat(code="nothing-outlined", text=text))
    if scan.touches_edge(classes):
        text = "The outline reaches the edge of the image: the tumour may go on beyond it."
        found.append(Caveat(code="outline-at-edge", text=text))
    if scan.covered < 0.99:
        text = (
            f"Only {100 * scan.covered:.0f} % of the head is covered by all images; "
            "elsewhere the outline rests on fewer of them."
        )
        found.append(Caveat(code="head-not-covered", text=text))
    return tuple(found)
