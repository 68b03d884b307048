"""What a user asked to be compared: arms by name, a cohort by table or by recipe."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onkos.arms import ARMS
from onkos.arms.classify import Classifier, facts_arm
from onkos.arms.classify.sources import Facts, Size
from onkos.classic.members import MEMBERS
from onkos.cli.work import Plan
from onkos.cohort.layouts import LAYOUTS
from onkos.cohort.table import load_table
from onkos.core.case import Cohort
from onkos.core.errors import UsageError
from onkos.core.protocols import Arm
from onkos.recipes import Recipe
from onkos.recipes import load as load_recipe

_FACTS = "facts-"
_FOLDS, _SEED = 5, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Arms and the cohort they are judged on."""

    arms: list[Arm]
    cohort: Cohort
    folds: int
    seed: int

    def plan(self, folder: Path) -> Plan:
        """Return the split, with finished folds kept in a folder."""
        return Plan(folds=self.folds, seed=self.seed, folder=folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of a command: a recipe and its data, or a table and arms."""

    recipe: str | None = None
    data: Path | None = None
    cohort: Path | None = None
    arms: tuple[str, ...] = ()
    target: str = "target"
    columns: tuple[str, ...] = ()
    folds: int | None = None
    seed: int | None = None

    def question(self) -> Question:
        """Find what the words mean.

        Raises
        ------
        UsageError
            If they name neither a recipe with its data nor a table with arms, or both; or an
            arm that does not exist.
        """
        if self.recipe is None:
            return self._tabled()
        if self.cohort is not None or self.data is None:
            raise UsageError("a recipe needs --data, the folder of its data sets, and no --cohort")
        recipe = load_recipe(self.recipe)
        cohort = _laid_out(recipe, self.data)
        return Question(
            arms=[
                _of_table(arm, recipe.size)
                for arm in arms_named(self.arms or recipe.arms, cohort, recipe.columns)
            ],
            cohort=cohort,
            folds=self.folds or recipe.folds,
            seed=recipe.seed if self.seed is None else self.seed,
        )

    def _tabled(self) -> Question:
        if self.cohort is None or not self.arms:
            raise UsageError("expected a recipe with --data, or --cohort cases.csv with --arms")
        require_known(self.arms)
        cohort = load_table(self.cohort, target=self.target)
        return Question(
            arms=arms_named(self.arms, cohort, self.columns),
            cohort=cohort,
            folds=self.folds or _FOLDS,
            seed=_SEED if self.seed is None else self.seed,
        )


def require_known(names: Sequence[str]) -> None:
    """Refuse a name that no arm has; the message lists those there are."""
    known = [*ARMS, *(f"{_FACTS}{member}" for member in MEMBERS)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no arm called {', '.join(unknown)}; there are {', '.join(known)}")


def arms_named(names: Sequence[str], cohort: Cohort, columns: Sequence[str]) -> list[Arm]:
    """Look arms up by name; ``facts-<member>`` looks at columns of the cohort's table."""
    require_known(names)
    return [ARMS[name] if name in ARMS else _facts(name, cohort, columns) for name in names]


def _of_table(arm: Arm, size: Sequence[str]) -> Arm:
    """Let the arm that knows the size only read it from columns, where a recipe names them."""
    if size and isinstance(arm, Classifier) and isinstance(arm.source, Size):
        return replace(arm, source=Facts(columns=tuple(size)))
    return arm


def _facts(name: str, cohort: Cohort, columns: Sequence[str]) -> Arm:
    """Arm on columns of the table, which have to be named: any may hold the answer."""
    known = list(dict.fromkeys(key for case in cohort.cases for key in case.covariates))
    unknown = [name for name in columns if not fnmatch.filter(known, name)]
    if not columns or unknown:
        raise UsageError(
            f"{name} looks at columns of the table, and has to be told which: --columns A,B "
            f"among {known[:40]} (patterns such as 'shape_*' too), not {unknown}. A column that "
            "follows from the target gives the answer away"
        )
    chosen = [key for key in known if any(fnmatch.fnmatchcase(key, name) for name in columns)]
    return facts_arm(name, [case.covariates for case in cohort.cases], chosen)


def _laid_out(recipe: Recipe, data: Path) -> Cohort:
    if recipe.layout not in LAYOUTS:
        raise UsageError(f"layout {recipe.layout!r} of the recipe; there are {list(LAYOUTS)}")
    return LAYOUTS[recipe.layout](data)
