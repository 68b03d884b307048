"""ComBat inside an arm: on training cases alone, stored with the model, sites refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos import arms
from onkos.arms.classify import CLASSIFIERS, Harmonise, facts_arm, harmonised
from onkos.arms.classify.combat import FittedHarmonise
from onkos.arms.classify.sources import Facts
from onkos.classic.harmonise import fit_harmonisation
from onkos.compare import Execution, Plan, compare
from onkos.core.case import Case, Cohort, known_truths
from onkos.core.desk import PLAIN as DESK
from onkos.core.errors import CohortError, ModelError, UsageError
from onkos.core.study import Patient, Study
from scored import probabilities

COLUMNS = ("f0", "f1", "f2", "f3", "age", "sex")


def study(number: int, facts: dict[str, str]) -> Study:
    return Study(patient=Patient(id=f"P{number}"), volumes={}, facts=facts)


def measured(n: int = 60, sites: str = "AB") -> Cohort:
    """Features of which each site has its own offset and gain; the first one tells the class."""
    rng = np.random.default_rng(8)
    cases = []
    for number in range(n):
        site = number // 2 % len(sites)
        malignant = number % 2 == 1
        values = rng.normal(size=4)
        values[0] += 1.5 * malignant
        values = values * (1 + 1.5 * site) + 6.0 * site
        facts = {f"f{k}": f"{value:.6f}" for k, value in enumerate(values)}
        facts |= {"age": f"{60 + rng.normal():.3f}", "sex": "FM"[number % 3 == 0]}
        seen = study(number, facts | {"scanner": sites[site]})
        target = "malignant" if malignant else "benign"
        cases.append(
            Case(
                id=f"c{number}",
                patient=f"P{number}",
                load=lambda s=seen: s,
                truths=known_truths(target=target),
            )
        )
    return Cohort(name="sites", cases=tuple(cases), fingerprint="sites-1", simulated=True)


COHORT = measured()
FACTS = [case.study.facts for case in COHORT.cases]
PLAIN = facts_arm("facts-lda", FACTS, COLUMNS)
SITES = Harmonise(column="scanner", covariates=Facts(columns=("age",)))
EVENED = harmonised(PLAIN, SITES)


@pytest.fixture(scope="module")
def model():
    """The harmonised arm on the first forty cases."""
    return EVENED.fit(COHORT.cases[:40], rng=np.random.default_rng(0))


def test_rows_are_those_that_training_rows_alone_would_give(model):
    train = [case.study for case in COHORT.cases[:40]]
    values = np.array([PLAIN.source.observe(one).values for one in train])
    sites = [one.facts["scanner"] for one in train]
    age = values[:, [4]]
    found = fit_harmonisation(values[:, :4], sites, covariates=age)
    for case in COHORT.cases[40:]:
        raw = PLAIN.source.observe(case.study).values
        row = model.described(case.study, DESK)
        expected = found.apply(
            raw[None, :4], [case.study.facts["scanner"]], covariates=raw[None, [4]]
        )
        np.testing.assert_allclose(row[:4], expected[0])
        np.testing.assert_array_equal(row[4:], raw[4:])  # age and words are what they are


def test_the_site_is_gone_from_what_the_member_sees(model):
    rows = np.array([model.described(case.study, DESK) for case in COHORT.cases])
    at_b = np.array([case.study.facts["scanner"] == "B" for case in COHORT.cases])
    before = np.array([PLAIN.source.observe(case.study).values for case in COHORT.cases])
    apart = [abs(t[at_b, :4].mean(axis=0) - t[~at_b, :4].mean(axis=0)) for t in (before, rows)]
    assert (apart[0] > 3).all()
    assert (apart[1] < 1.5).all()


def test_it_is_fitted_without_the_classes():
    """Other classes of the same cases leave the harmonisation as it is."""
    turned = [
        replace(
            case,
            truths={**case.truths, **known_truths(target="benign" if n % 4 < 2 else "malignant")},
        )
        for n, case in enumerate(COHORT.cases)
    ]
    two = [
        EVENED.fit(cases, rng=np.random.default_rng(0)).harmonised.to_arrays()
        for cases in (COHORT.cases, turned)
    ]
    for name, array in two[0].items():
        np.testing.assert_array_equal(array, two[1][name])


def test_a_model_says_so_on_its_card_and_comes_back(model, tmp_path):
    model.save(tmp_path / "model")
    back = arms.load(tmp_path / "model")
    assert back.card.arm == "facts-lda+combat"
    assert back.card.settings["harmonise"]["column"] == "scanner"
    assert back.card.settings["harmonise"]["covariates"]["columns"] == ["age"]
    for case in COHORT.cases[40:45]:
        assert probabilities(back, case) == pytest.approx(probabilities(model, case), abs=1e-12)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"scanner": "C"}, r"facts-lda\+combat: study of P0: sites \['C'\]"),
        ({"scanner": ""}, "no 'scanner' among its facts"),
        ({"age": ""}, r"covariates \['age'\] are missing"),
    ],
)
def test_an_unknown_site_or_covariate_is_refused_by_a_sentence(model, facts, says):
    with pytest.raises(ModelError, match=says):
        model.predict(study(0, dict(FACTS[0]) | facts))


def test_damaged_arrays_are_a_model_error(model):
    arrays = model.harmonised.to_arrays()
    with pytest.raises(ModelError, match="fit the model again"):
        FittedHarmonise.from_arrays(SITES, {**arrays, "moved": ~arrays["moved"]})
    with pytest.raises(ModelError, match="harmonisation"):
        FittedHarmonise.from_arrays(
            SITES, {**arrays, "harmonisation.shift": arrays["harmonisation.shift"][:, 1:]}
        )


def test_both_stand_in_one_table_and_are_stored_apart(tmp_path):
    plan, execution = Plan(folds=3, seed=1), Execution(store=tmp_path)
    made = compare(COHORT, [PLAIN, EVENED], plan=plan, execution=execution)
    assert [arm.name for arm in made.arms] == ["facts-lda", "facts-lda+combat"]
    assert made.provenance.settings["harmonise"]["facts-lda+combat"]["column"] == "scanner"
    before = len(list(tmp_path.iterdir()))
    assert before == 6
    other = harmonised(PLAIN, Harmonise(column="scanner"))
    again = compare(COHORT, [other], plan=plan, execution=execution)
    assert len(list(tmp_path.iterdir())) == before + 3  # other covariates are another arm
    assert again.arms[0].metrics["brier"] != made.arms[1].metrics["brier"]


def test_a_fold_with_a_site_that_training_lacks_is_refused_before_anything_runs(tmp_path):
    strange = study(5, dict(FACTS[5]) | {"scanner": "Z"})
    cases = list(COHORT.cases)
    cases[5] = replace(cases[5], load=lambda: strange)
    cohort = replace(COHORT, cases=tuple(cases))
    plan, execution = Plan(folds=3), Execution(store=tmp_path)
    with pytest.raises(UsageError, match=r"fold \d: [01] training cases of the site 'Z'.*merge"):
        compare(cohort, [EVENED], plan=plan, execution=execution)
    assert not list(tmp_path.iterdir())
    assert compare(cohort, [PLAIN], plan=plan).arms[0].name == "facts-lda"


def test_a_case_without_a_site_is_refused_by_its_name():
    bare = replace(COHORT.cases[3], load=lambda: study(3, dict(FACTS[3]) | {"scanner": ""}))
    with pytest.raises(CohortError, match=r"case c3: .*no 'scanner'"):
        compare(replace(COHORT, cases=(*COHORT.cases[:3], bare, *COHORT.cases[4:])), [EVENED])


def test_what_no_scanner_measures_or_the_site_itself_is_not_harmonised():
    with pytest.raises(UsageError, match="described by 'size'"):
        harmonised(CLASSIFIERS["size-only"], SITES)
    looking = facts_arm("facts-lda", FACTS, (*COLUMNS, "scanner"))
    with pytest.raises(UsageError, match="leave the site out"):
        harmonised(looking, SITES)
    words = facts_arm("facts-lda", FACTS, ("age", "sex"))
    with pytest.raises(CohortError, match="nothing is left"):
        harmonised(words, SITES).fit(COHORT.cases, rng=np.random.default_rng(0))
