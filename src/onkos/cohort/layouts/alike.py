"""Who may be one patient where a set does not say: pictures that look nearly alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from onkos.cohort.leakage import Fingerprint, equal_pictures

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
    pairs = np.array([*np.argwhere(linked), *equal_pictures(prints, prints)])
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(names), len(names)))
    _, groups = connected_components(links, directed=False)
    first: dict[int, str] = {}
    for name, group in zip(names, groups.tolist(), strict=True):
        first.setdefault(group, name)
    return {name: first[group] for name, group in zip(names, groups.tolist(), strict=True)}
