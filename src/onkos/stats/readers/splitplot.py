"""What design a reader study has, and which analyses are valid for it.

Cases read by some readers only, or in one modality only, need no analysis of their own: the
covariance of readings that share no case is 0, and Obuchowski and Rockette's model takes it
from there. What it cannot take is readings missing here and there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from onkos.core.errors import ContentError
from onkos.stats.readers.covariance import block_of
from onkos.stats.readers.ratings import ReaderStudy

DesignName = Literal[
    "factorial",
    "cases nested in readers",
    "cases nested in modalities",
    "cases nested in readers and modalities",
    "blocks",
    "incomplete",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Design of a study.

    Parameters
    ----------
    name
        Factorial: everybody read everything. Nested: each reader, or each modality, or each
        reader in each modality has cases of their own. Blocks: groups of readers (or of readings)
        with cases of their own. Incomplete: anything else.
    obuchowski_rockette, dbm
        None where the analysis is valid, else why it is not.
    """

    name: DesignName
    obuchowski_rockette: str | None
    dbm: str | None


def design_of(study: ReaderStudy) -> Design:
    """Tell a study's design from who read what."""
    if study.read.all():
        return Design(name="factorial", obuchowski_rockette=None, dbm=None)
    dbm = "DBM needs every reader to read every case in every modality"
    if not study.took_part.all():
        reader, modality = np.argwhere(~study.took_part)[0]
        why = (
            f"reader {study.readers[reader]} did not read in modality "
            f"{study.modalities[modality]}; the analysis of variance needs every reader in every "
            "modality"
        )
        return Design(name="incomplete", obuchowski_rockette=why, dbm=dbm)
    try:
        blocks = block_of(study.read)
    except ContentError as error:
        return Design(name="incomplete", obuchowski_rockette=str(error), dbm=dbm)
    return Design(name=_named(blocks), obuchowski_rockette=None, dbm=dbm)


def _named(blocks: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> DesignName:
    """Name of a design from which readings share their cases."""
    apart = len(np.unique(blocks))
    same_across_modalities = bool((blocks == blocks[:, :1]).all())
    same_across_readers = bool((blocks == blocks[:1]).all())
    if same_across_modalities and apart == blocks.shape[0]:
        return "cases nested in readers"
    if same_across_readers and apart == blocks.shape[1]:
        return "cases nested in modalities"
    if apart == blocks.size:
        return "cases nested in readers and modalities"
    return "blocks"
