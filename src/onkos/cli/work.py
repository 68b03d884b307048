"""What commands have in common: plans, and the work over a whole cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from onkos.arms.classify.arm import CLASSIFY, characterised
from onkos.cli.progress import Track
from onkos.compare import Execution
from onkos.compare import compare as compare_arms
from onkos.core.case import Case, Cohort
from onkos.core.errors import OnkosError, UsageError
from onkos.core.protocols import Arm, Model
from onkos.core.reading import Comparison
from onkos.core.study import Study
from onkos.io import nifti
from onkos.io.whole import write_table
from onkos.read import with_errors

_FEWEST_FOR_ERRORS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a cohort is split, how often anew, and where finished folds are kept."""

    folds: int
    seed: int
    folder: Path
    repeats: int = 1

    @property
    def store(self) -> Path:
        """Folder of finished folds."""
        return self.folder / ".folds"


def compare(arms: Sequence[Arm], cohort: Cohort, plan: Plan, track: Track) -> Comparison:
    """Compare arms with progress, keeping finished folds."""
    update = track(f"Comparing {len(arms)} arms")
    return compare_arms(
        cohort,
        arms,
        folds=plan.folds,
        repeats=plan.repeats,
        seed=plan.seed,
        execution=Execution(store=plan.store, done=lambda done, total, _what: update(done, total)),
    )


def fit(arm: Arm, cohort: Cohort, plan: Plan, track: Track) -> Model:
    """Fit an arm on all cases; its errors come from folds in which each patient was held out.

    With fewer than three patients there is nothing to learn errors from: the model then carries
    none, and every reading made with it says so.
    """
    patients = len(cohort.patients)
    judged = None
    if patients >= _FEWEST_FOR_ERRORS:
        held_out = replace(plan, folds=min(plan.folds, patients))
        judged = compare([arm], cohort, held_out, track).arms[0]
    update = track(f"Fitting {arm.name} on {patients} patients")
    model = arm.fit(cohort.cases, rng=np.random.default_rng(plan.seed))
    update(1, 1)
    model = labelled(model, cohort, plan)
    return with_errors(model, judged) if judged else model


def labelled(model: Model, cohort: Cohort, plan: Plan) -> Model:
    """Write on a model's card which cohort and seed it comes from."""
    return model.with_card(
        replace(model.card, cohort=cohort.name, simulated=cohort.simulated, seed=plan.seed)
    )


def predict(model: Model, cohort: Cohort, out: Path, track: Track) -> dict[str, Any]:
    """Predict every case; refused ones are listed and do not stop the others."""
    update = track(f"Predicting {len(cohort.cases)} cases")
    rows: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for number, case in enumerate(cohort.cases, start=1):
        try:
            rows.append(_predict_case(model, case, out))
        except OnkosError as error:
            refused.append({"case": case.id, "error": type(error).__name__, "reason": str(error)})
        update(number, len(cohort.cases))
    table = out / "predictions.csv"
    write_table(table, rows)
    return {
        "predictions": str(table),
        "masks": str(out / "masks"),
        "predicted": len(rows),
        "refused": refused,
    }


def with_roles(study: Study, roles: Sequence[str]) -> Study:
    """Put series into roles as asked, e.g. ``t1c=1.2.840...``."""
    volumes = dict(study.volumes)
    for asked in roles:
        role, _, uid = asked.partition("=")
        fits = [
            volume
            for volume in study.volumes.values()
            if volume.source and volume.source.series_uid == uid
        ]
        if len(fits) != 1:
            raise UsageError(f"--role {asked}: {len(fits)} images of series {uid!r}; expected one")
        volumes[role] = fits[0]
    return replace(study, volumes=volumes)


def _predict_case(model: Model, case: Case, out: Path) -> dict[str, str]:
    """One row of the table; the outline goes to its own file."""
    study = characterised(case) if model.card.task == CLASSIFY else case.study
    prediction = model.predict(study)
    if prediction.mask is not None:
        nifti.write_mask(out / "masks" / f"{case.id}.nii.gz", prediction.mask)
    probabilities = {f"p_{name}": f"{p:.6f}" for name, p in prediction.classes.items()}
    return {"case": case.id, "patient": case.patient, **probabilities}
