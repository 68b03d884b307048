"""Own learners against the library, and against what their definitions say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.covariance import ledoit_wolf
from sklearn.datasets import load_breast_cancer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from onkos.classic.bayes import NaiveBayes
from onkos.classic.calibration import fit_calibration
from onkos.classic.evolution import Evolution
from onkos.classic.fuzzy import FuzzyRules, fuzzy_c_means
from onkos.classic.inner import macro_auc
from onkos.classic.kernel import SupportVectors
from onkos.classic.learning import Rows, softmax
from onkos.classic.linear import Discriminant
from onkos.classic.neighbours import nearest_graph, propagated
from onkos.classic.penalised import elastic_net, strongest_penalty
from onkos.classic.perceptron import Perceptrons
from onkos.classic.rough import discretise, entropy_cuts
from onkos.classic.rough_rules import RoughRules
from onkos.classic.trees import Boosting, Forest
from onkos.core.errors import ContentError


@pytest.fixture
def rows():
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    x, y = x[:200, :10], y[:200].astype(np.int64)
    return Rows(x=x, y=y, weight=np.ones(200), groups=np.arange(200), classes=2)


def three_classes(rng, n=150):
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 5)) + 1.5 * rng.normal(size=(3, 5))[y]
    return Rows(x=x, y=y, weight=np.ones(n), groups=np.arange(n), classes=3)


@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_elastic_net_agrees_with_scikit_learn(rng, mix):
    data = three_classes(rng)
    penalty = 0.03
    found = elastic_net(
        data.x,
        data.truth,
        data.weight,
        lasso=np.full(5, penalty * mix),
        ridge=penalty * (1 - mix),
        tolerance=1e-8,
    )
    theirs = LogisticRegression(
        C=1 / (150 * penalty), l1_ratio=mix, solver="saga", tol=1e-8, max_iter=20_000
    ).fit(data.x, data.y)
    np.testing.assert_allclose(found[0].T, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(
        softmax(data.x @ found[0] + found[1]), theirs.predict_proba(data.x), atol=1e-4
    )


def test_the_strongest_penalty_just_leaves_nothing(rng):
    data = three_classes(rng)
    top = strongest_penalty(data.x, data.truth, data.weight)
    for factor, empty in ((1.001, True), (0.98, False)):
        w, _ = elastic_net(
            data.x, data.truth, data.weight, lasso=np.full(5, factor * top), ridge=0, tolerance=1e-9
        )
        assert (w == 0).all() == empty


def test_discriminant_agrees_with_scikit_learn_at_the_same_shrinkage(rows, rng):
    """Shrunk by as much as Ledoit and Wolf's formula says of the pooled residuals."""
    means = np.stack([rows.x[rows.y == code].mean(axis=0) for code in range(2)])
    _, shrinkage = ledoit_wolf(rows.x - means[rows.y], assume_centered=True)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(rows.x, rows.y)
    ours = softmax(Discriminant().fit(rows, rng=rng).log_scores(rows.x))
    np.testing.assert_allclose(ours, theirs.predict_proba(rows.x), atol=1e-6)


def test_naive_bayes_agrees_with_scikit_learn(rows, rng):
    ours = softmax(NaiveBayes(pooled=0.0).fit(rows, rng=rng).log_scores(rows.x))
    theirs = GaussianNB(var_smoothing=0).fit(rows.x, rows.y)
    np.testing.assert_allclose(ours, theirs.predict_proba(rows.x), atol=1e-8)


def test_support_vectors_give_scikit_learns_margin(rows, rng):
    fitted = SupportVectors(cost=2.0, gamma=1.0).fit(rows, rng=rng)
    theirs = SVC(C=2.0, gamma=0.1).fit(rows.x, rows.y)
    scores = fitted.log_scores(rows.x)
    np.testing.assert_allclose(
        scores[:, 1] - scores[:, 0], theirs.decision_function(rows.x), atol=1e-6
    )


def test_trees_kept_as_arrays_say_what_scikit_learns_say(rows, rng):
    seed = int(np.random.default_rng(7).integers(2**31))
    fitted = Forest(kind="extra", trees=9).fit(rows, rng=np.random.default_rng(7))
    theirs = ExtraTreesClassifier(n_estimators=9, random_state=seed).fit(rows.x, rows.y)
    np.testing.assert_allclose(
        np.exp(fitted.log_scores(rows.x)) - 1e-3, theirs.predict_proba(rows.x), atol=1e-12
    )
    assert fitted.used().sum() > 3


@pytest.mark.parametrize("classes", [2, 3])
def test_boosted_trees_say_what_scikit_learns_say(rows, rng, classes):
    data = rows if classes == 2 else three_classes(rng)
    seed = int(np.random.default_rng(7).integers(2**31))
    fitted = Boosting(stages=7).fit(data, rng=np.random.default_rng(7))
    theirs = GradientBoostingClassifier(
        n_estimators=7,
        max_depth=2,
        learning_rate=0.05,
        subsample=0.6,
        max_features="sqrt",
        random_state=seed,
    ).fit(data.x, data.y)
    np.testing.assert_allclose(
        softmax(fitted.log_scores(data.x)), theirs.predict_proba(data.x), atol=1e-9
    )


def test_propagation_agrees_with_scikit_learns_label_spreading(rng):
    data = three_classes(rng, n=60)
    graph = nearest_graph(data.x, 8)
    known = np.where(np.arange(60) < 15, data.y, -1)
    theirs = LabelSpreading(kernel=lambda a, b: graph.toarray(), alpha=0.8, max_iter=2000, tol=1e-9)
    theirs.fit(data.x, known)
    labels = np.eye(3)[known] * (known >= 0)[:, None]
    ours = propagated(graph, labels, give_way=0.8)
    share = ours / ours.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share, theirs.label_distributions_, atol=1e-5)


def test_networks_and_rules_learn_what_no_line_divides(rng):
    """Exclusive or: no single feature and no plane tells; the linear member must fail."""
    x = rng.normal(size=(300, 2))
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int64)
    train = Rows(x=x[:200], y=y[:200], weight=np.ones(200), groups=np.arange(200), classes=2)
    for learner in (
        Perceptrons(decay=0.001, steps=300),
        FuzzyRules(rules=6),
        RoughRules(most=3, purity=0.9),
    ):
        scores = learner.fit(train, rng=rng).log_scores(x[200:])
        assert macro_auc(scores, y[200:]) > 0.8, learner
    linear = Discriminant().fit(train, rng=rng).log_scores(x[200:])
    assert macro_auc(linear, y[200:]) < 0.7


def test_evolution_finds_the_few_features_that_tell(rng):
    y = np.arange(160) % 2
    x = rng.normal(size=(160, 30))
    x[:, [4, 17]] += 1.5 * y[:, None]
    data = Rows(x=x, y=y, weight=np.ones(160), groups=np.arange(160), classes=2)
    used = Evolution(price=0.01).fit(data, rng=rng).used()
    assert used[[4, 17]].all()
    assert used.sum() <= 8


def test_cuts_lie_where_the_classes_come_apart(rng):
    values = np.concatenate([rng.uniform(0, 1, 40), rng.uniform(2, 3, 40), rng.uniform(4, 5, 40)])
    y = np.repeat([0, 1, 0], 40)
    cuts = entropy_cuts(values, y, most=5)
    assert len(cuts) == 2
    assert 1 <= cuts[0] <= 2
    assert 3 <= cuts[1] <= 4
    assert len(entropy_cuts(values, rng.permutation(y), most=5)) == 0  # chance does not pay
    table = discretise(values[:, None], cuts[:, None])
    np.testing.assert_array_equal(table[:, 0], np.repeat([0, 1, 2], 40))


def test_fuzzy_clusters_of_two_far_lumps_are_the_lumps(rng):
    x = np.concatenate([rng.normal(0, 0.1, (30, 2)), rng.normal(5, 0.1, (20, 2))])
    found = fuzzy_c_means(x, x[[0, -1]])
    np.testing.assert_allclose(found.centres, [[0, 0], [5, 5]], atol=0.1)
    assert found.degrees[:30, 0].min() > 0.99
    with pytest.raises(ContentError, match="fuzziness"):
        fuzzy_c_means(x, x[:2], fuzziness=1.0)


def test_calibration_undoes_a_wrong_scale_and_bias(rng):
    logit = 2 * rng.normal(size=4000)
    y = (rng.random(4000) < expit(logit)).astype(np.int64)
    wrong = np.stack([np.zeros(4000), 3 * logit + 2], axis=1)
    found = fit_calibration(wrong, y)
    p = np.exp(found.log_probabilities(wrong))[:, 1]
    assert float(found.slope) == pytest.approx(1 / 3, rel=0.1)
    assert np.abs(p - expit(logit)).mean() < 0.02
