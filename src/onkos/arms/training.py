"""What arms have in common when they learn: names of tissues, truth on the scan, the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from onkos.prep.scan import Scan, prepare
from onkos.core.card import Card
from onkos.core.case import Case
from onkos.core.errors import CohortError, ModelError
from onkos.core.mask import Mask
from onkos.core.source import PHANTOM, Caveat
from onkos.core.version import __version__
from onkos.features.threads import each, slabs

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


def over_cases(
    cases: Sequence[Case],
    work: Callable[[int, Case, Scan], T],
    *,
    roles: Sequence[str],
    reference: str,
    threads: int,
) -> list[T]:
    """Call ``work(number, case, scan)`` for each case; the answers are in the cases' order.

    Only as many cases as threads are held at once, so a cohort of any size fits.
    """

    def one(number: int, _stop: int) -> T:
        case = cases[number]
        try:
            scan = prepare(case.study, roles, reference=reference)
        except ModelError as error:
            raise CohortError(f"case {case.id}: {error}") from error
        return work(number, case, scan)

    return each(one, slabs(len(cases), parts=len(cases)), threads=threads)


def truth_on(scan: Scan, truth: Mask, names: Mapping[int, str]) -> NDArray[np.uint8]:
    """Classes in the scan's box: 0 is healthy, n the n-th of the names, whatever its label."""
    labels = scan.cut(truth.on(scan.geometry))
    wanted = list(names.values())
    classes = np.zeros(labels.shape, dtype=np.uint8)
    for label, name in truth.names.items():
        classes[labels == label] = 1 + wanted.index(name)
    return classes


def make_card(
    arm: str,
    cases: Sequence[Case],
    *,
    names: Mapping[int, str],
    roles: tuple[str, ...],
    reference: str,
    settings: Mapping[str, Any],
) -> Card:
    """Card of a model just fitted; estimates and errors are added by who measures them."""
    study = cases[0].study
    return Card(
        arm=arm,
        task="segment",
        site="brain",
        modality=study.volumes[reference].modality,
        roles=roles,
        reference=reference,
        tissues=dict(names),
        intended_use=INTENDED_USE,
        cohort=", ".join(sorted({case.site for case in cases if case.site})),
        patients=len({case.patient for case in cases}),
        simulated=any(caveat.code == PHANTOM.code for caveat in study.all_caveats),
        settings=dict(settings),
        version=__version__,
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
