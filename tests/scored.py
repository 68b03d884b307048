"""One model on one case, judged, for tests of arms."""

from __future__ import annotations

import tempfile
from pathlib import Path

from onkos.core.answers import ClassProbabilities
from onkos.core.case import Case, Cohort, characterised
from onkos.core.comparison import Predicted
from onkos.core.desk import PLAIN, silent
from onkos.core.judgement import JudgedCase
from onkos.core.protocols import Model
from onkos.judge.outlines import judge_outlines
from onkos.judge.settings import DEFAULT
from onkos.work.piece import answered


def outlined(model: Model, case: Case, *, fold: int = 0) -> JudgedCase:
    """Outline a case and judge it as a comparison does."""
    with tempfile.TemporaryDirectory() as folder:
        said = answered(model, case, Path(folder), fold=fold, desk=PLAIN)
        predicted = Predicted(name="model", repeats=((said,),))
        cohort = Cohort(name="one", cases=(case,))
        return judge_outlines(predicted, cohort, DEFAULT, 0, silent).judged[0]


def probabilities(model: Model, case: Case) -> dict[str, float]:
    """Probability of each class of a case."""
    said = model.predict(characterised(case), desk=PLAIN).probabilities
    assert isinstance(said, ClassProbabilities)
    return dict(said.of)
