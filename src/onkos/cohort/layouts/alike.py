"""Who may be one patient where a set does not say: pictures that look nearly alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from onkos.cohort.leakage import Fingerprint, equal_pictures, fingerprint
from onkos.core.case import Case

_ALIKE = 0.95  # correlation of thumbnails; pictures put together in vain only widen an interval


def patients_of(pictures: Mapping[str, Fingerprint]) -> dict[str, str]:
    """Patient of each picture, by its name: those that look nearly alike are one's.

    Pictures are linked where :func:`onkos.cohort.leakage.equal_pictures` says so or their
    thumbnails correlate above 0.95, and links are followed. A patient is called by the first
    of its pictures. Two views of one patient that look different are not recognised.
    """
    names = list(pictures)
    prints = list(pictures.values())
    if not prints:
        return {}
    thumbs = np.stack([one.thumbnail for one in prints])
    linked = thumbs @ thumbs.T >= _ALIKE
    pairs = [*np.argwhere(linked).tolist(), *equal_pictures(prints, prints)]
    return dict(zip(names, _first_linked(names, pairs), strict=True))


def joined(cases: Sequence[Case]) -> list[Case]:
    """Cases with known patients, those whose single pictures are nearly equal put together.

    A published set may hold one film under two names; two patients joined in vain only widen an
    interval. Every picture is opened for it.
    """
    if not cases:
        return []
    prints = [fingerprint(next(iter(case.study.volumes.values())).data) for case in cases]
    patients = [case.patient for case in cases]
    own = {patient: number for number, patient in reversed(list(enumerate(patients)))}
    pairs = [*equal_pictures(prints, prints), *((n, own[p]) for n, p in enumerate(patients))]
    return [
        replace(case, patient=patient)
        for case, patient in zip(cases, _first_linked(patients, pairs), strict=True)
    ]


def _first_linked(names: Sequence[str], pairs: Sequence[Sequence[int]]) -> list[str]:
    """Name of the first of those that each is linked to, links being followed."""
    ends = np.array(pairs).T
    links = coo_array((np.ones(ends.shape[1]), ends), shape=(len(names), len(names)))
    _, groups = connected_components(links, directed=False)
    first: dict[int, str] = {}
    for name, group in zip(names, groups.tolist(), strict=True):
        first.setdefault(group, name)
    return [first[group] for group in groups.tolist()]
