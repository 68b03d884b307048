"""Fit one method on a whole cohort, with its errors on patients it has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onkos.compare import FIVE_FOLDS, HERE, Execution, Plan, compare
from onkos.core.case import Cohort
from onkos.core.comparison import ArmResult
from onkos.core.protocols import Arm, Model
from onkos.read import with_errors

FEWEST_FOR_ERRORS = 3


def fit(
    arm: Arm,
    cohort: Cohort,
    *,
    plan: Plan = FIVE_FOLDS,
    execution: Execution = HERE,
    judged: ArmResult | None = None,
) -> Model:
    """Fit an arm on all cases; its errors come from folds in which each patient was held out.

    With fewer than three patients there is nothing to learn errors from: the model then carries
    none, and every reading made with it says so.

    Parameters
    ----------
    arm
        The method.
    cohort
        Cases with the truth that its task needs.
    plan
        The folds in which its errors are learnt; fewer where there are fewer patients.
    execution
        Where finished folds are kept, who runs them and who is told.
    judged
        The same arm as a comparison on the same cohort judged it, if there is one: its errors
        are then taken from there.

    Returns
    -------
    Model
        Its card names the cohort, the seed, its metrics and errors on unseen patients.

    Raises
    ------
    UsageError, CohortError
        As :func:`onkos.compare.compare`.
    """
    patients = len(cohort.patients)
    if judged is None and patients >= FEWEST_FOR_ERRORS:
        held_out = replace(plan, folds=min(plan.folds, patients))
        judged = compare(cohort, [arm], plan=held_out, execution=execution).arms[0]
    tell = execution.desk.tell
    tell(0, 1, f"fitting {arm.name} on {patients} patients")
    model = arm.fit(cohort.cases, rng=np.random.default_rng(plan.seed), desk=execution.desk)
    tell(1, 1, f"fitted {arm.name}")
    model = model.with_card(
        replace(model.card, cohort=cohort.name, simulated=cohort.simulated, seed=plan.seed)
    )
    return with_errors(model, judged) if judged else model
