"""Table members: what they refuse, how they are stored, and that they find what is there."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_breast_cancer, load_wine

from onkos.classic.inner import macro_auc
from onkos.classic.members import MEMBERS
from onkos.classic.table import FittedTable
from onkos.core.errors import CohortError, ContentError, ModelError


def small(name):
    member = MEMBERS[name]
    return replace(member, candidates=member.candidates[:1], folds=3)


@pytest.fixture
def wine():
    x, y = load_wine(return_X_y=True)
    return x, np.array(["barolo", "grignolino", "barbera"])[y], np.arange(len(y)) // 2


@pytest.mark.parametrize("name", MEMBERS)
def test_members_tell_wines_apart_and_come_back_from_a_file_without_code(name, wine, rng):
    x, y, groups = wine
    train = groups % 2 == 0
    fitted = small(name).fit(x[train], y[train], groups[train], rng=rng)
    p = fitted.probabilities(x[~train])
    codes = np.searchsorted(fitted.classes, y[~train])
    assert macro_auc(p, codes) > 0.96
    assert fitted.choice.folds == 3
    assert fitted.selected.any()
    data = skops.io.dumps(fitted.to_arrays())
    assert skops.io.get_untrusted_types(data=data) == []
    again = FittedTable.from_arrays(skops.io.loads(data))
    np.testing.assert_array_equal(again.probabilities(x[~train]), p)
    file = io.BytesIO()
    np.savez(file, **fitted.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        again = FittedTable.from_arrays({key: stored[key] for key in stored.files})
    np.testing.assert_array_equal(again.probabilities(x[~train]), p)
    np.testing.assert_array_equal(again.selected, fitted.selected)


def test_same_generator_same_member(rng, wine):
    x, y, groups = wine
    one = small("random-forest").fit(x, y, groups, rng=np.random.default_rng(4))
    two = small("random-forest").fit(x, y, groups, rng=np.random.default_rng(4))
    np.testing.assert_array_equal(one.probabilities(x), two.probabilities(x))


def test_settings_are_chosen_among_the_candidates_by_the_inner_folds(rng):
    x, y = load_breast_cancer(return_X_y=True)
    fitted = MEMBERS["lda"].fit(x[:200], y[:200], np.arange(200), rng=rng)
    losses = fitted.choice.log_loss
    assert losses[fitted.choice.best] == pytest.approx(losses.min(), abs=1e-6)
    assert np.isfinite(losses).all()
    assert fitted.choice.auc[fitted.choice.best] > 0.97


def test_probabilities_are_calibrated_though_classes_were_balanced(rng):
    y = (np.arange(600) % 10 == 0).astype(int)
    x = rng.normal(size=(600, 4)) + 1.0 * y[:, None] * [1, 1, 0, 0]
    fitted = small("svm").fit(x[:400], y[:400], np.arange(400), rng=rng)
    assert fitted.probabilities(x[400:])[:, 1].mean() == pytest.approx(0.1, abs=0.03)


def test_one_patient_a_class_leaves_no_inner_folds_and_says_so(rng):
    x, y = rng.normal(size=(8, 3)), np.repeat([0, 1], 4)
    fitted = MEMBERS["lda"].fit(x, y, ["a"] * 4 + ["b"] * 4, rng=rng)
    assert fitted.choice.folds == 0
    assert np.isnan(fitted.choice.log_loss).all()
    np.testing.assert_allclose(fitted.probabilities(x).sum(axis=1), 1)


def test_a_long_table_is_drawn_from_by_patient(rng):
    x = rng.normal(size=(300, 3))
    y = (x[:, 0] > 0).astype(int)
    member = replace(small("knn"), most_rows=80)
    fitted = member.fit(x, y, np.arange(300) // 3, rng=rng)
    assert len(fitted.learner.rows) == 80


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"x": np.empty((0, 3)), "y": [], "groups": []}, ContentError, "no cases"),
        ({"y": [1] * 12}, CohortError, "two classes"),
        ({"y": [0] * 11 + [1]}, CohortError, r"'1': 1"),
        ({"groups": ["a"] * 12}, CohortError, "one patient"),
        ({"groups": ["a"]}, ContentError, "1 patients"),
        ({"y": np.linspace(0, 1, 12)}, ContentError, "text or whole numbers"),
        ({"x": np.full((12, 2), np.nan)}, ContentError, "two different values"),
        ({"x": np.ones((12, 2))}, ContentError, "two different values"),
        ({"x": np.full((12, 2), np.inf)}, ContentError, "infinite values in columns"),
        ({"x": np.ones(12)}, ContentError, r"\(cases, features\)"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(change, kind, words, rng):
    good = {"x": rng.normal(size=(12, 2)), "y": [0, 1] * 6, "groups": range(12)}
    given = {**good, **change}
    with pytest.raises(kind, match=words):
        small("logistic").fit(given["x"], given["y"], list(given["groups"]), rng=rng)


def test_another_table_than_fitted_on_is_refused(rng, wine):
    fitted = small("lda").fit(*wine, rng=rng)
    with pytest.raises(ContentError, match="fitted on 13"):
        fitted.probabilities(np.ones((2, 12)))


def test_no_cases_get_no_probabilities(rng, wine):
    for name in MEMBERS:
        if name not in ("rough-sets", "evolutionary", "mlp"):
            continue
        fitted = small(name).fit(*wine, rng=rng)
        assert fitted.probabilities(np.empty((0, 13))).shape == (0, 3)


def test_damaged_arrays_are_refused_by_name(rng, wine):
    arrays = small("extra-trees").fit(*wine, rng=rng).to_arrays()
    with pytest.raises(ModelError, match=r"learner\.left"):
        FittedTable.from_arrays({k: v for k, v in arrays.items() if k != "learner.left"})
    with pytest.raises(ModelError, match="trees of"):  # would walk in a circle
        FittedTable.from_arrays({**arrays, "learner.left": np.zeros_like(arrays["learner.left"])})
    with pytest.raises(ModelError, match="expected one of"):
        FittedTable.from_arrays({**arrays, "kind": np.array("Popen")})
    with pytest.raises(ModelError, match="numbers or text"):
        FittedTable.from_arrays({**arrays, "learner.values": np.array([object()])})
    with pytest.raises(ModelError, match="stored learner"):
        FittedTable.from_arrays({**arrays, "learner.values": np.zeros(3)})
    wrong = arrays["preparation.kept"] + 100
    with pytest.raises(ModelError, match="preparation"):
        FittedTable.from_arrays({**arrays, "preparation.kept": wrong})
