"""Table members: classifiers of a feature table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.classic.arrays import packed, taken, unpacked
from onkos.classic.bayes import Normals
from onkos.classic.calibration import Calibration
from onkos.classic.fuzzy import FuzzyTable
from onkos.classic.inner import Candidate, Choice, choose, weighted
from onkos.classic.inner_folds import possible_folds
from onkos.classic.kernel import Vectors
from onkos.classic.learning import Bools, Fitted, IntArray, Rows, softmax
from onkos.classic.linear import Linear, Moments
from onkos.classic.neighbours import Nearest
from onkos.classic.perceptron import Networks
from onkos.classic.preparation import FittedPreparation
from onkos.classic.rough_rules import Rules
from onkos.classic.trees import Trees
from onkos.core.errors import CohortError, ContentError, ModelError
from onkos.core.geometry import AnyArray, FloatArray

Family = Literal[
    "set theory",
    "probability statistics",
    "graph",
    "spatial geometry",
    "cross-disciplinary",
]

_FITTED: dict[str, type[Any]] = {
    "FuzzyTable": FuzzyTable,
    "Linear": Linear,
    "Moments": Moments,
    "Nearest": Nearest,
    "Networks": Networks,
    "Normals": Normals,
    "Rules": Rules,
    "Trees": Trees,
    "Vectors": Vectors,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A classic method that learns from a feature table.

    Parameters
    ----------
    name, family
        As in ``MEMBERS``; the family is that of the published review of classic methods.
    candidates
        Settings, simplest first; inner cross-validation chooses one.
    folds
        Inner folds by patient; fewer where a class has fewer patients.
    most_rows
        Maximum number of rows to fit to: of a longer table a random sample, whole patients
        together as far as they fit.
    """

    name: str
    family: Family
    candidates: tuple[Candidate, ...]
    folds: int = 5
    most_rows: int = 6000

    def fit(
        self,
        x: ArrayLike,
        y: Sequence[Any] | AnyArray,
        groups: Sequence[Hashable] | AnyArray,
        *,
        rng: np.random.Generator,
    ) -> FittedTable:
        """Fit to a table.

        Imputation, scaling, feature selection, class weights and settings are determined on
        these rows alone, the settings by inner cross-validation with folds by patient; the
        probabilities are calibrated on the predictions of left-out patients.

        Parameters
        ----------
        x
            (cases, features), NaN where a value is missing.
        y
            Class of each case, text or whole numbers.
        groups
            Patient of each case.
        rng
            Of the folds and of everything random in the method.

        Raises
        ------
        ContentError
            If the table is empty, holds infinite values or no feature varies.
        CohortError
            If there are not two classes with two cases each, or only one patient.
        """
        table = checked(x)
        if len(table) == 0:
            raise ContentError("feature table: no cases; expected two or more of each class")
        names, codes, patients = _targets(y, groups, len(table))
        if len(table) > self.most_rows:
            kept = _drawn(patients, self.most_rows, rng)
            table, codes, patients = table[kept], codes[kept], patients[kept]
            _require_classes(codes, names)
        rows = Rows(
            x=table,
            y=codes,
            weight=np.ones(len(codes)),
            groups=patients,
            classes=len(names),
        )
        k = possible_folds(codes, patients, self.folds)
        choice = choose(self.candidates, table, rows, k=k, rng=rng)
        best = self.candidates[choice.best]
        preparation = best.preparation.fit(table, codes)
        whole = np.ones(len(codes), dtype=np.bool_)
        part = weighted(rows, whole, preparation.transform(table), balanced=best.balanced)
        return FittedTable(
            name=self.name,
            classes=names,
            preparation=preparation,
            learner=best.learner.fit(part, rng=rng),
            choice=choice,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedTable:
    """A fitted member.

    Parameters
    ----------
    name
        Of the member.
    classes
        (classes,): names in the order of the probabilities' columns.
    preparation, learner
        As fitted.
    choice
        Which candidate was chosen and the performance of each; ``folds`` is 0 where a class had
        too few patients: then the first candidate is used and nothing is calibrated.
    """

    name: str
    classes: AnyArray
    preparation: FittedPreparation
    learner: Fitted
    choice: Choice

    def probabilities(self, x: ArrayLike) -> FloatArray:
        """Probability of each class, (cases, classes); each row sums to one.

        Raises
        ------
        ContentError
            If the table has not as many features as the one learnt from, or infinite values.
        """
        table = checked(x, features=self.features)
        scores = self.learner.log_scores(self.preparation.transform(table))
        return softmax(self.choice.calibration.log_probabilities(scores))

    @property
    def features(self) -> int:
        """How many features a table must have."""
        return int(self.preparation.features)

    @property
    def selected(self) -> Bools:
        """(features,): whether the probabilities depend on the feature."""
        used = np.zeros(self.features, dtype=np.bool_)
        used[self.preparation.kept[self.learner.used()]] = True
        return used

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything as named arrays of numbers and text, for a file that cannot hold code."""
        choice = {
            "choice.best": np.array(self.choice.best),
            "choice.folds": np.array(self.choice.folds),
            "choice.log_loss": self.choice.log_loss,
            "choice.auc": self.choice.auc,
        }
        return {
            "name": np.array(self.name),
            "classes": self.classes,
            "kind": np.array(type(self.learner).__name__),
            **choice,
            **packed(self.choice.calibration, "calibration"),
            **packed(self.preparation, "preparation"),
            **packed(self.learner, "learner"),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> FittedTable:
        """Restore the fitted member.

        Raises
        ------
        ModelError
            If an array is missing, of a wrong kind, or does not fit the others.
        """
        kind = str(taken(arrays, "kind"))
        if kind not in _FITTED:
            raise ModelError(
                f"stored member of kind {kind!r}: expected one of {sorted(_FITTED)}; it is of "
                "another version or damaged, fit the model again"
            )
        choice = Choice(
            best=int(taken(arrays, "choice.best")),
            folds=int(taken(arrays, "choice.folds")),
            log_loss=taken(arrays, "choice.log_loss"),
            auc=taken(arrays, "choice.auc"),
            calibration=unpacked(Calibration, arrays, "calibration"),
        )
        return cls(
            name=str(taken(arrays, "name")),
            classes=taken(arrays, "classes"),
            preparation=unpacked(FittedPreparation, arrays, "preparation"),
            learner=unpacked(_FITTED[kind], arrays, "learner"),
            choice=choice,
        )


def checked(x: ArrayLike, *, features: int | None = None) -> FloatArray:
    """Table as floats; :class:`ContentError` if it is empty, infinite or of another width."""
    table = np.asarray(x, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] == 0:
        raise ContentError(f"feature table of shape {table.shape}: expected (cases, features)")
    if features is not None and table.shape[1] != features:
        raise ContentError(
            f"feature table of {table.shape[1]} columns: the member was fitted on {features}; "
            "give the same features in the same order"
        )
    infinite = np.flatnonzero(np.isinf(table).any(axis=0))
    if len(infinite):
        raise ContentError(
            f"feature table: infinite values in columns {infinite[:5].tolist()}; expected finite "
            "numbers, or NaN where a value is missing"
        )
    return table


def _targets(
    y: Sequence[Any] | AnyArray, groups: Sequence[Hashable] | AnyArray, cases: int
) -> tuple[AnyArray, IntArray, IntArray]:
    """Names of the classes, class number and patient number of each case."""
    targets = np.asarray(y)
    if targets.dtype == object:
        targets = targets.astype(str)
    if targets.shape != (cases,) or len(groups) != cases:
        raise ContentError(
            f"table of {cases} cases with {targets.shape} classes and {len(groups)} patients: "
            "expected one class and one patient a case"
        )
    if targets.dtype.kind == "f":
        raise ContentError(f"classes of type {targets.dtype}: expected text or whole numbers")
    names, codes = np.unique(targets, return_inverse=True)
    _require_classes(codes, names)
    patients = np.unique(np.array([str(group) for group in groups]), return_inverse=True)[1]
    if int(patients.max()) == 0:
        raise CohortError(f"all {cases} cases are of one patient; expected at least two patients")
    return names, codes.astype(np.int64), patients.astype(np.int64)


def _require_classes(codes: NDArray[Any], names: AnyArray) -> None:
    counts = np.bincount(codes, minlength=len(names))
    few = {str(name): int(n) for name, n in zip(names, counts, strict=True) if n < 2}
    if len(names) < 2 or few:
        raise CohortError(
            f"classes {[str(name) for name in names[:10]]}, too few cases of {few or 'any other'}: "
            "expected two classes or more with two cases each; leave out or merge a rare class"
        )


def _drawn(patients: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    """At most ``most`` rows: whole patients in random order, the last one in part."""
    order = rng.permutation(int(patients.max()) + 1)
    rank = np.argsort(order)[patients]
    return np.sort(np.argsort(rank, kind="stable")[:most])
