"""What a user asked to be compared: arms by name, a cohort by table or by recipe."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onkos.arms import ARMS
from onkos.arms.classify import (
    BUILT,
    FACTS,
    SUFFIX,
    Classifier,
    Harmonise,
    can_be_harmonised,
    facts_arm,
    harmonised,
)
from onkos.arms.classify.sources import Facts, Size
from onkos.cohort.layouts import LAYOUTS
from onkos.cohort.table import load_table
from onkos.compare import Plan
from onkos.core.case import Cohort
from onkos.core.comparison import Comparison
from onkos.core.errors import UsageError
from onkos.core.protocols import Arm
from onkos.core.source import Caveat
from onkos.recipes import Recipe
from onkos.recipes import load as load_recipe

_FOLDS, _SEED = 5, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Arms and the cohort they are judged on.

    ``title``, ``limits`` and ``paper`` are those of a recipe; ``where`` tells where the cohort
    came from, so that the result can be judged again.
    """

    arms: list[Arm]
    cohort: Cohort
    plan: Plan
    where: Mapping[str, Any]
    title: str = ""
    limits: tuple[str, ...] = ()
    paper: Mapping[str, str] = field(default_factory=dict)

    def asked_by(self, made: Comparison) -> Comparison:
        """Return the comparison with the recipe's question, limits and published figures."""
        limits = tuple(Caveat(code="recipe", text=text) for text in self.limits)
        settings = {**made.provenance.settings, "question": dict(self.where)}
        return replace(
            made,
            title=self.title,
            paper=self.paper,
            caveats=(*made.caveats, *limits),
            provenance=replace(made.provenance, settings=settings),
        )


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
    repeats: int | None = None
    seed: int | None = None
    harmonise: str = ""
    covariates: tuple[str, ...] = ()

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
        names = self.arms or recipe.arms
        meant = any(can_be_harmonised(name.removesuffix(SUFFIX)) for name in names)
        sites = _sites(
            self.harmonise or (recipe.harmonise if meant else ""),
            self.covariates or (recipe.covariates if meant else ()),
            cohort,
            target=recipe.target,
        )
        return Question(
            arms=[
                _of_table(arm, recipe.size)
                for arm in arms_named(names, cohort, recipe.columns, sites)
            ],
            cohort=cohort,
            plan=Plan(
                folds=self.folds or recipe.folds,
                repeats=self.repeats or recipe.repeats,
                seed=recipe.seed if self.seed is None else self.seed,
            ),
            where={"recipe": self.recipe, "data": str(self.data.absolute())},
            title=recipe.title,
            limits=recipe.limits,
            paper=recipe.paper or {},
        )

    def _tabled(self) -> Question:
        if self.cohort is None or not self.arms:
            raise UsageError("expected a recipe with --data, or --cohort cases.csv with --arms")
        require_known(self.arms)
        cohort = load_table(self.cohort, target=self.target)
        sites = _sites(self.harmonise, self.covariates, cohort, target=self.target)
        return Question(
            arms=arms_named(self.arms, cohort, self.columns, sites),
            cohort=cohort,
            plan=Plan(
                folds=self.folds or _FOLDS,
                repeats=self.repeats or 1,
                seed=_SEED if self.seed is None else self.seed,
            ),
            where={"cohort": str(self.cohort.absolute()), "target": self.target},
        )


def cohort_of(where: Mapping[str, Any]) -> Cohort:
    """Open again the cohort that a result was made from; its images need not be there.

    Raises
    ------
    UsageError
        If it is not where it was.
    """
    recipe, data = where.get("recipe"), where.get("data")
    table, target = where.get("cohort"), where.get("target")
    if isinstance(recipe, str) and isinstance(data, str) and Path(data).is_dir():
        return _laid_out(load_recipe(recipe), Path(data))
    if isinstance(table, str) and isinstance(target, str) and Path(table).is_file():
        return load_table(Path(table), target=target, images=False)
    raise UsageError(
        f"the cohort of this result, {table or data or 'not named in it'}, cannot be opened again; "
        "give its table with --truth"
    )


def require_known(names: Sequence[str]) -> None:
    """Refuse a name that no arm has; the message lists those there are."""
    known = [*ARMS, *FACTS]
    unknown = [name for name in names if name not in known and name not in BUILT]
    if unknown:
        raise UsageError(
            f"no arm called {', '.join(unknown)}; there are {', '.join(known)}, and those on "
            f"radiomics and facts with {SUFFIX} behind, harmonised between sites"
        )


def arms_named(
    names: Sequence[str],
    cohort: Cohort,
    columns: Sequence[str],
    sites: Harmonise | None = None,
) -> list[Arm]:
    """Look arms up by name; ``facts-<member>`` looks at columns of the cohort's table.

    With ``sites`` those named ``...+combat`` are harmonised. Where none is, each arm on radiomics
    or facts stands twice, as it is and harmonised.

    Raises
    ------
    UsageError
        If there is no such arm, an arm is to be harmonised and no column names the sites, or
        sites are named and no arm can be harmonised.
    """
    require_known(names)
    asked = [name for name in names if name.endswith(SUFFIX)]
    if asked and sites is None:
        raise UsageError(
            f"{', '.join(asked)}: harmonised between sites, so the column that names the site of "
            "each case is needed: --harmonise COLUMN"
        )
    if sites is not None and not asked:
        able = [name for name in names if can_be_harmonised(name)]
        if not able:
            raise UsageError(
                f"--harmonise {sites.column}: none of {', '.join(names)} is described by radiomics "
                "or columns of the table; name such an arm, or leave --harmonise out"
            )
        names = [
            one for name in names for one in ([name, f"{name}{SUFFIX}"] if name in able else [name])
        ]
    return [_named(name, cohort, columns, sites) for name in names]


def _named(name: str, cohort: Cohort, columns: Sequence[str], sites: Harmonise | None) -> Arm:
    plain = name.removesuffix(SUFFIX)
    arm = ARMS[plain] if plain in ARMS else _facts(plain, cohort, columns)
    if name == plain or sites is None or not isinstance(arm, Classifier):
        return arm
    return harmonised(arm, sites)


def _sites(
    column: str, covariates: Sequence[str], cohort: Cohort, *, target: str
) -> Harmonise | None:
    """How sites are harmonised; None where no column names them.

    Raises
    ------
    UsageError
        If a column is not there, covariates are named without a site, or the target is one.
    """
    if not column:
        if covariates:
            raise UsageError("--covariates are kept by --harmonise COLUMN, which is not given")
        return None
    if target in (column, *covariates):
        raise UsageError(
            f"{target} is the target: harmonised by it, or with its effect kept, the numbers would "
            "hold the answer, which is not known of a new patient; name other columns"
        )
    facts = [case.study.facts for case in cohort.cases]
    known = list(dict.fromkeys(name for each in facts for name in each))
    unknown = [name for name in (column, *covariates) if name not in known]
    if unknown:
        raise UsageError(
            f"--harmonise: no columns {unknown} in the table of cohort {cohort.name}; it has "
            f"{known[:40]}"
        )
    return Harmonise(column=column, covariates=Facts.among(facts, covariates))


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
