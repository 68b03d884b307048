"""Foretold risks judged: every patient counts, folds are kept apart, nothing is guessed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onkos.cohort.predictions import load_predictions
from onkos.cohort.table import load_table
from onkos.core.answers import ObservedOutcome, Risk
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.comparison import Answered, Predicted
from onkos.core.errors import CohortError, ContentError
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.evaluate import evaluate
from onkos.judge import judge
from onkos.stats.intervals import Resampling
from onkos.stats.survival.concordance import Harrell, concordance, concordance_difference
from onkos.stats.survival.dynamic import brier
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.horizons import Horizons


def cohort(times, events):
    return Cohort(
        name="toy",
        cases=tuple(
            Case(
                id=f"c{k}",
                patient=f"P{k}",
                load=lambda: Study(patient=Patient(id="P")),
                truths=known_truths(outcome=ObservedOutcome(time=float(time), event=bool(event))),
            )
            for k, (time, event) in enumerate(zip(times, events, strict=True))
        ),
    )


def said(*repeats, name="model", folds=None):
    """Risks of each repeat; None is a case without an answer."""
    return Predicted(
        name=name,
        repeats=tuple(
            tuple(
                Answered(
                    case=f"c{k}",
                    patient=f"P{k}",
                    answers={Task.PROGNOSE: risk},
                    fold=0 if folds is None else int(folds[k]),
                )
                for k, risk in enumerate(risks)
                if risk is not None
            )
            for risks in repeats
        ),
    )


def scores(values):
    return [None if value is None else Risk(score=float(value)) for value in values]


def judged(predicted, truth, **asked):
    return judge([predicted], truth, tasks=(Task.PROGNOSE,), **asked).judgements[0]


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(5)
    latent = rng.normal(size=60)
    time = np.round(rng.exponential(np.exp(-latent)) * 10 + 0.1, 2)
    ends = rng.uniform(2, 30, size=60)
    event = time <= ends
    return latent, np.minimum(time, ends), event


def by_times(latent, at=(2.0, 5.0, 8.0)):
    rate = np.exp(latent) / 10
    return [Risk(by={t: float(1 - math.exp(-t * r)) for t in at}) for r in rate]


def test_probabilities_by_times_have_every_metric_with_its_interval(patients):
    latent, time, event = patients
    found = judged(said(by_times(latent)), cohort(time, event))
    assert set(found.metrics) == {
        "c_harrell", "c_uno", "integrated_brier",
        *(f"{kind}_at:{t}" for t in (2, 5, 8)
          for kind in ("auc", "brier", "observed_to_expected", "calibration_slope")),
    }  # fmt: skip
    follow = FollowUp(time=time, event=event)
    free = 1 - np.array([[risk.by[t] for t in (2, 5, 8)] for risk in by_times(latent)])
    expected = brier(
        Horizons(follow=follow, times=(2, 5, 8)),
        free,
        rng=np.random.default_rng(0),
        plan=Resampling(),
    ).overall
    whole = found.metrics["integrated_brier"]
    same = (expected.value, expected.low, expected.high)
    assert (whole.value, whole.low, whole.high) == pytest.approx(same, rel=1e-12)
    c = concordance(follow, -free[:, -1], kind=Harrell(), rng=np.random.default_rng(0))
    assert found.metrics["c_harrell"].value == c.value
    assert found.metrics["c_harrell"].low == c.low
    for one in found.metrics.values():
        assert one.low <= one.value <= one.high
        assert one.n == 60
    kinds = [curve.kind for curve in found.curves]
    assert kinds == ["survival", "survival", "survival", "decision"]
    low = found.curves[0]
    assert low.name == "lowest third of risk"
    assert low.x[0] == 0
    assert low.y[0] == 1
    assert low.lines["at_risk"][0] == 20
    assert any("log-rank p" in note for note in low.notes)
    assert len(low.x) == len(low.y) == len(low.low) == len(low.high)


def test_a_patient_without_an_answer_is_the_worst_there_is(patients):
    latent, time, event = patients
    first_event, first_free = int(np.flatnonzero(event)[0]), int(np.flatnonzero(~event)[0])
    given = list(latent)
    given[first_event] = given[first_free] = None
    found = judged(said(scores(given)), cohort(time, event))
    worst = latent.copy()
    worst[first_event], worst[first_free] = latent.min() - 9, latent.max() + 9
    expected = concordance(
        FollowUp(time=time, event=event), worst, kind=Harrell(), rng=np.random.default_rng(0)
    )
    assert found.metrics["c_harrell"].value == expected.value
    assert found.metrics["c_harrell"].missed == 2
    assert set(found.unanswered) == {f"c{first_event}", f"c{first_free}"}
    assert "unanswered" in {caveat.code for caveat in found.caveats}


def test_scores_of_folds_on_other_scales_are_compared_within_folds(patients):
    latent, time, event = patients
    folds = np.arange(60) % 3
    plain = judged(said(scores(latent), folds=folds), cohort(time, event))
    moved = judged(said(scores(latent + 100 * folds), folds=folds), cohort(time, event))
    for name, one in plain.metrics.items():
        assert one == moved.metrics[name]
    expected = concordance(
        FollowUp(time=time, event=event),
        latent,
        kind=Harrell(strata=folds.tolist()),
        rng=np.random.default_rng(0),
    )
    c = plain.metrics["c_harrell"]
    assert c.value == expected.value
    assert any("same fold" in note for note in c.method.notes)
    constant = judged(said(scores(folds), folds=folds), cohort(time, event))
    assert constant.metrics["c_harrell"].value == 0.5
    assert constant.metrics["c_uno"].value == pytest.approx(0.5)


def test_probabilities_of_folds_are_on_one_scale(patients):
    latent, time, event = patients
    folds = np.arange(60) % 3
    apart = judged(said(by_times(latent), folds=folds), cohort(time, event))
    together = judged(said(by_times(latent)), cohort(time, event))
    assert apart.metrics == together.metrics


def test_of_repeats_the_mean_with_patients_drawn_together(patients):
    latent, time, event = patients
    rng = np.random.default_rng(2)
    noisy = [latent + rng.normal(size=60) for _ in range(3)]
    truth = cohort(time, event)
    found = judged(said(*map(by_times, noisy)), truth)
    singles = [judged(said(by_times(one)), truth) for one in noisy]
    for name, one in found.metrics.items():
        values = [single.metrics[name].value for single in singles]
        assert one.value == pytest.approx(np.mean(values), abs=1e-12)
        assert one.method.repeats == 3
        assert one.n == 60
    assert found.spread["c_harrell"].values == pytest.approx(
        [single.metrics["c_harrell"].value for single in singles]
    )
    same = judged(said(by_times(latent), by_times(latent)), truth).metrics["c_harrell"]
    alone = judged(said(by_times(latent)), truth).metrics["c_harrell"]
    assert (same.value, same.low, same.high) == (alone.value, alone.low, alone.high)


def test_two_models_are_told_apart_on_the_same_resamples(patients):
    latent, time, event = patients
    noise = np.random.default_rng(3).normal(size=60)
    a, b = said(by_times(latent), name="a"), said(by_times(noise), name="b")
    tests = judge([a, b], cohort(time, event), tasks=(Task.PROGNOSE,)).tests
    assert [one.metric for one in tests] == ["c_harrell", "integrated_brier"]
    risks = [[risk.by[8.0] for risk in by_times(one)] for one in (latent, noise)]
    expected = concordance_difference(
        FollowUp(time=time, event=event), *risks, kind=Harrell(), rng=np.random.default_rng(0)
    )
    assert tests[0].difference.value == pytest.approx(expected.difference.value)
    assert tests[0].p == expected.p
    assert tests[1].difference.value < 0


def test_events_tied_in_time_are_no_pair_and_a_tied_censoring_is():
    # an example of users whose tool had it the other way round: Harrell's C is 0.75
    found = judged(said(scores([5, 4, 1, 3, 2])), cohort([1, 2, 2, 2, 3], [1, 1, 1, 0, 0]))
    assert found.metrics["c_harrell"].value == 0.75
    tied = judged(said(scores([0.1, 0.9])), cohort([5, 5], [1, 0]))
    assert tied.metrics["c_harrell"].value == 0


@pytest.mark.parametrize("events", [[0, 0, 0, 0], [0, 0, 0, 1]])
def test_without_a_pair_nothing_is_claimed(events):
    found = judged(said(scores([1, 2, 3, 4])), cohort([1, 2, 3, 4], events))
    c = found.metrics["c_harrell"]
    assert math.isnan(c.value)
    assert "no two of 4 patients can be compared" in c.method.undefined
    assert ("no-event" in {caveat.code for caveat in found.caveats}) == (not any(events))


def test_equal_risks_are_worth_half(patients):
    _, time, event = patients
    found = judged(said(scores([1] * 60)), cohort(time, event))
    assert found.metrics["c_harrell"].value == 0.5
    assert [curve.name for curve in found.curves] == ["all"]


def test_what_does_not_fit_is_refused(patients):
    latent, time, event = patients
    truth = cohort(time, event)
    other = by_times(latent)
    other[7] = Risk(by={1.0: 0.5})
    with pytest.raises(CohortError, match=r"'c7'.*same times for every case"):
        judged(said(other), truth)
    with pytest.raises(CohortError, match="longest follow-up"):
        judged(said(by_times(latent, (2.0, 500.0))), truth)
    wild = by_times(latent)
    wild[3] = Risk(by={2.0: 1.5, 5.0: 1.6, 8.0: 1.7})
    with pytest.raises(ContentError, match="expected probabilities"):
        judged(said(wild), truth)
    with pytest.raises(ContentError, match=r"'c2'.*expected a number"):
        judged(said(scores([1, 2, math.nan, *[4] * 57])), truth)
    with pytest.raises(CohortError, match="no case of the truth"):
        judged(Predicted(name="nothing", repeats=((),)), truth)


def test_a_table_is_judged_and_a_missing_follow_up_is_refused_by_name(tmp_path):
    rng = np.random.default_rng(1)
    rows = [(f"c{k}", f"P{k}", 1 + k, k % 3 != 0, rng.normal() - k / 9) for k in range(30)]
    truth = "case,patient,time,event\n" + "".join(
        f"{c},{p},{t},{int(e)}\n" for c, p, t, e, _ in rows
    )
    (tmp_path / "cases.csv").write_text(truth)
    table = tmp_path / "predictions.csv"
    table.write_text("case,patient,risk,time\n" + "".join(
        f"{c},{p},{r},{t}\n" for c, p, t, _, r in rows
    ))  # fmt: skip
    found = evaluate(load_predictions(table), load_table(tmp_path / "cases.csv"))
    assert found.judgement.metrics["c_harrell"].value > 0.7
    assert "time-repeats" in {caveat.code for caveat in found.caveats}
    (tmp_path / "cases.csv").write_text(truth.replace("c4,P4,5,1", "c4,P4,5,dead"))
    with pytest.raises(CohortError, match="'c4': time '5' and event 'dead'"):
        evaluate(load_predictions(table), load_table(tmp_path / "cases.csv"))
