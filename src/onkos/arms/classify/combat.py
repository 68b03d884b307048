"""ComBat inside an arm: what sites add to its numbers is learnt on training cases and taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from onkos.arms.classify.sources import Facts, Radiomics, Source
from onkos.classic.arrays import taken
from onkos.classic.harmonise import Harmonisation, fit_harmonisation
from onkos.core.errors import CohortError, ContentError, ModelError, UsageError
from onkos.core.geometry import AnyArray, FloatArray
from onkos.core.study import Study

SUFFIX = "+combat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonise:
    """Harmonise an arm's numbers between sites (ComBat).

    Fitted on the training cases alone, without their classes; the target is never a covariate,
    because it is not known of a new patient, and because keeping its effect would carry the
    training patients' answers into the numbers that the arm is then judged by.

    Parameters
    ----------
    column
        Fact of a study that names its site or scanner; not among what the arm looks at.
    covariates
        Facts in which the sites' patients differ and whose effect is kept (age, sex). They must
        be known of every case, and stay as they are where the arm looks at them too: what no
        scanner measures belongs here.
    """

    column: str
    covariates: Facts = field(default_factory=lambda: Facts(columns=()))

    def require_apart(self, source: Source, arm: str) -> None:
        """Refuse a source whose numbers no scanner measures, or that looks at the site itself.

        Raises
        ------
        UsageError
            The message names the arm.
        """
        if not isinstance(source, Radiomics | Facts):
            raise UsageError(
                f"{arm}: described by {source.kind!r}; only arms on radiomics or on columns of the "
                "table (facts-) are harmonised between sites"
            )
        clash = self.column in self.covariates.columns
        if clash or (isinstance(source, Facts) and self.column in source.columns):
            raise UsageError(
                f"{arm}: looks at {self.column!r}, by which it is harmonised; leave the site out "
                "of its columns and covariates"
            )

    def site(self, study: Study) -> str:
        """Site of a study; :class:`ContentError` if it names none."""
        found = study.facts.get(self.column, "").strip()
        if not found:
            raise ContentError(
                f"study of {study.patient.id}: no {self.column!r} among its facts; harmonisation "
                "needs the site of every study"
            )
        return found

    def fit(
        self, table: FloatArray, names: Sequence[str], source: Source, studies: Sequence[Study]
    ) -> FittedHarmonise:
        """Learn what each site does to each number.

        Parameters
        ----------
        table
            (cases, features) of the training cases.
        names, source
            Of the features.
        studies
            The cases' studies, for their sites and covariates.

        Raises
        ------
        CohortError
            If a site has one case only, or sites and covariates cannot be told apart.
        ContentError
            If a site or a covariate is missing.
        """
        kept = set(self.covariates.columns)
        if isinstance(source, Facts):
            kept |= {f"{name}={word}" for name, words in source.words.items() for word in words}
        moved = np.array([name not in kept for name in names])
        if not moved.any():
            raise CohortError(
                f"features {list(names)[:5]}: all of them are words or covariates; nothing is left "
                "to harmonise"
            )
        found = fit_harmonisation(
            table[:, moved],
            [self.site(study) for study in studies],
            covariates=self.kept(studies),
        )
        return FittedHarmonise(how=self, moved=moved, harmonisation=found)

    def kept(self, studies: Sequence[Study]) -> FloatArray:
        """Covariates as numbers, (cases, covariates); of words the first one is the reference."""
        rows = []
        for study in studies:
            found = self.covariates.observe(study)
            first = {f"{name}={words[0]}" for name, words in self.covariates.words.items()}
            values = {
                name: value
                for name, value in zip(found.names, found.values, strict=True)
                if name not in first
            }
            missing = [name for name, value in values.items() if np.isnan(value)]
            if missing:
                raise ContentError(
                    f"study of {study.patient.id}: covariates {missing} are missing; fill them in "
                    "or harmonise without them"
                )
            rows.append(list(values.values()))
        return np.array(rows, dtype=np.float64).reshape(len(studies), -1)

    def to_plain(self) -> dict[str, Any]:
        """Settings for the card."""
        return {"method": "ComBat", "column": self.column, "covariates": self.covariates.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """From the card; :class:`ModelError` if it cannot be used."""
        try:
            covariates = Facts.from_plain(plain["covariates"])
            return cls(column=str(plain["column"]), covariates=covariates)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"model card: settings of 'harmonise' cannot be used: {error!r}"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedHarmonise:
    """What was learnt of the sites; ``moved`` says which features it changes, (features,)."""

    how: Harmonise
    moved: AnyArray
    harmonisation: Harmonisation

    def apply(self, table: FloatArray, studies: Sequence[Study]) -> FloatArray:
        """Return the rows as if all sites measured alike.

        Raises
        ------
        CohortError
            If a site was not among those fitted on.
        ContentError
            If a site or a covariate is missing.
        """
        evened = table.copy()
        evened[:, self.moved] = self.harmonisation.apply(
            table[:, self.moved],
            [self.how.site(study) for study in studies],
            covariates=self.how.kept(studies),
        )
        return evened

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything learnt as arrays."""
        return {"moved": self.moved, **self.harmonisation.to_arrays()}

    @classmethod
    def from_arrays(cls, how: Harmonise, arrays: Mapping[str, Any]) -> Self:
        """Build it back; :class:`ModelError` if an array is missing or does not fit."""
        moved = taken(arrays, "moved")
        found = Harmonisation.from_arrays(arrays)
        if moved.dtype != np.bool_ or int(moved.sum()) != len(found.mean):
            raise ModelError("stored harmonisation: features do not fit; fit the model again")
        return cls(how=how, moved=moved, harmonisation=found)
