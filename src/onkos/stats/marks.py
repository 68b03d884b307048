"""The marks of one reader (or one algorithm) on many cases, sorted into hits and false ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from onkos.core.errors import CohortError, ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.matching import Matching
from onkos.stats.resampling import Clusters, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """Scores of false marks and of lesions on every case, those without any mark included.

    Parameters
    ----------
    cases
        Identifiers, each once.
    patients
        The patient of each case.
    false_case, false_score
        Of each false mark (non-lesion localisation): number of its case, finite score.
    lesion_case, lesion_score, lesion_weight
        Of each lesion: number of its case; score, -inf if no mark found it; clinical weight,
        above 0 (wAFROC takes it relative to the case's other lesions).
    doubles
        What became of further marks on a lesion already found; only said in words.

    Raises
    ------
    ContentError
        If there is no case, a number is missing, or a length does not fit.
    CohortError
        If a case appears twice.
    """

    cases: tuple[Hashable, ...]
    patients: tuple[Hashable, ...]
    false_case: IntArray
    false_score: FloatArray
    lesion_case: IntArray
    lesion_score: FloatArray
    lesion_weight: FloatArray
    doubles: Literal["ignored", "false"] = "ignored"

    def __post_init__(self) -> None:
        twice = len(self.cases) - len(set(self.cases))
        if twice:
            raise CohortError(f"{twice} cases appear twice; expected each case once")
        if not self.cases or len(self.patients) != len(self.cases):
            raise ContentError(
                f"{len(self.patients)} patients for {len(self.cases)} cases; expected at least "
                "one case, and a patient for each"
            )
        if self.false_case.shape != self.false_score.shape or not (
            self.lesion_case.shape == self.lesion_score.shape == self.lesion_weight.shape
        ):
            raise ContentError("marks and their cases differ in number; expected one case each")
        for case in (self.false_case, self.lesion_case):
            if case.size and (case.min() < 0 or case.max() >= len(self.cases)):
                raise ContentError(f"a mark lies on a case beyond the {len(self.cases)} given")
        if not np.isfinite(self.false_score).all():
            raise ContentError("the score of a false mark is not finite; expected a number")
        if np.isnan(self.lesion_score).any() or np.isposinf(self.lesion_score).any():
            raise ContentError("a lesion's score is not a number; expected -inf for a missed one")
        if not (np.isfinite(self.lesion_weight).all() and (self.lesion_weight > 0).all()):
            raise ContentError("a lesion's weight is not a positive number")

    @classmethod
    def of(
        cls,
        matchings: Sequence[Matching],
        *,
        cases: Sequence[Hashable],
        patients: Sequence[Hashable] | None = None,
        weights: Sequence[Sequence[float]] | None = None,
        doubles: Literal["ignored", "false"] = "ignored",
    ) -> Marks:
        """Gather the matchings of all cases, those with no mark and no lesion included.

        Parameters
        ----------
        matchings
            One a case.
        cases
            Identifier of each case.
        patients
            Patient of each case; each case is a patient if not given.
        weights
            Weights of the lesions of each case; all 1 if not given.
        doubles
            Further marks on a lesion already found cost nothing (``"ignored"``, as in LUNA16)
            or count as false marks (``"false"``, as in COCO).

        Raises
        ------
        ContentError, CohortError
            As the class.
        """
        if len(matchings) != len(cases) or (weights is not None and len(weights) != len(cases)):
            raise ContentError(f"{len(matchings)} matchings for {len(cases)} cases")
        wrong = [one.false | (one.double & (doubles == "false")) for one in matchings]
        lesions = [one.lesion_scores for one in matchings]
        given = [np.ones(len(one)) for one in lesions] if weights is None else weights
        numbers = np.arange(len(cases))
        return cls(
            cases=tuple(cases),
            patients=tuple(cases if patients is None else patients),
            false_case=np.repeat(numbers, [int(one.sum()) for one in wrong]),
            false_score=_joined([m.scores[w] for m, w in zip(matchings, wrong, strict=True)]),
            lesion_case=np.repeat(numbers, [len(one) for one in lesions]),
            lesion_score=_joined(lesions),
            lesion_weight=_joined(given),
            doubles=doubles,
        )

    @property
    def clusters(self) -> Clusters:
        """Which cases are drawn together when resampling."""
        return Clusters.of(len(self.cases), groups=self.patients)

    @property
    def lesions_per_case(self) -> IntArray:
        """(cases,) number of lesions."""
        return np.bincount(self.lesion_case, minlength=len(self.cases)).astype(np.intp)

    @property
    def unmarked(self) -> int:
        """Lesions that no mark found."""
        return int(np.isneginf(self.lesion_score).sum())

    @property
    def patients_missed(self) -> int:
        """Patients with at least one lesion that no mark found."""
        cases = np.unique(self.lesion_case[np.isneginf(self.lesion_score)])
        return len({self.patients[case] for case in cases})

    def told(self, found: Estimate) -> Estimate:
        """Add to an estimate what it counted: cases, lesions, patients with a lesion missed."""
        counted = (
            f"{len(self.cases)} cases, {len(self.lesion_case)} lesions of which {self.unmarked} "
            "without a mark",
            f"double marks {'ignored' if self.doubles == 'ignored' else 'count as false'}",
        )
        return replace(
            found,
            missed=self.patients_missed,
            method=replace(found.method, notes=(*found.method.notes, *counted)),
        )

    def require_lesions(self, *, doing: str) -> None:
        """Refuse marks without a single lesion.

        Raises
        ------
        ContentError
            If no case has a lesion.
        """
        if not self.lesion_case.size:
            raise ContentError(
                f"{doing}: none of {len(self.cases)} cases has a lesion; expected at least one"
            )


def _joined(arrays: Sequence[Sequence[float] | FloatArray]) -> FloatArray:
    parts = [np.asarray(one, dtype=np.float64) for one in arrays]
    return np.concatenate(parts) if parts else np.empty(0)
