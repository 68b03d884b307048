"""What holds for every classic member, whatever it is given."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from onkos.classic.fuzzy import fuzzy_c_means, scattered
from onkos.classic.graph_cut import cheapest, energy
from onkos.classic.harmonise import fit_harmonisation
from onkos.classic.inner import Candidate
from onkos.classic.inner_folds import patient_folds
from onkos.classic.learning import Rows, softmax
from onkos.classic.linear import MaximumEntropy, moments
from onkos.classic.maximum_flow import minimum_cut
from onkos.classic.members import MEMBERS
from onkos.classic.neighbours import Neighbours
from onkos.classic.outliners import REGION_MEMBERS
from onkos.classic.preparation import Preparation
from onkos.classic.rough import (
    classes_of,
    dependency,
    lower_approximation,
    reduct,
    upper_approximation,
)
from onkos.classic.scene import Scene, edges
from onkos.classic.walker import RandomWalker

FEW = settings(max_examples=25)
ONCE = settings(max_examples=2)

#: Members whose answers depend on nothing random: they may be compared to the last digits.
FIXED = ("naive-bayes", "logistic", "svm", "knn", "lda", "label-propagation")
SPATIAL = (
    "fuzzy-c-means",
    "hidden-markov-field",
    "normalised-cut",
    "label-propagation",
    "random-walker",
    "graph-cut",
    "conditional-random-field",
    "level-set",
)


def quick(name):
    """A member with two of its candidates, made small, so that laws are checked fast."""
    member = MEMBERS[name]
    some = [smaller(member.candidates[0]), smaller(member.candidates[-1])]
    return replace(member, candidates=tuple(some), folds=3)


def smaller(candidate):
    few = {"trees": 15, "stages": 15, "reducts": 6, "steps": 20, "generations": 4}
    own = {key: few[key] for key in few if hasattr(candidate.learner, key)}
    return replace(candidate, learner=replace(candidate.learner, **own))


def table(seed, *, classes=2, patients=40, features=9):
    """Two rows a patient; class means apart; units from thousandths to thousands; gaps."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(patients) % classes, 2)
    x = rng.normal(size=(2 * patients, features))
    x[:, :3] += 1.2 * rng.normal(size=(classes, 3))[y]
    x = np.exp(x / 2) * 10.0 ** rng.integers(-3, 4, features)
    x[rng.random(x.shape) < 0.03] = np.nan
    return x, y, np.repeat(np.arange(patients), 2)


@ONCE
@pytest.mark.parametrize("name", MEMBERS)
@given(seed=st.integers(0, 2**31), classes=st.integers(2, 3))
def test_probabilities_are_probabilities(name, seed, classes):
    x, y, groups = table(seed, classes=classes)
    fitted = quick(name).fit(x, y, groups, rng=np.random.default_rng(seed))
    far = np.concatenate([x, 1e6 * x[:5], np.full((1, x.shape[1]), np.nan)])
    p = fitted.probabilities(far)
    assert p.shape == (len(far), classes)
    assert np.isfinite(p).all()
    assert p.min() >= 0
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)


@ONCE
@pytest.mark.parametrize("name", FIXED)
@given(seed=st.integers(0, 2**31))
def test_order_of_rows_and_columns_changes_nothing(name, seed):
    x, y, groups = table(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(x)), rng.permutation(x.shape[1])
    one = quick(name).fit(x, y, groups, rng=np.random.default_rng(1))
    other = quick(name).fit(
        x[rows][:, columns], y[rows], groups[rows], rng=np.random.default_rng(1)
    )
    np.testing.assert_allclose(one.probabilities(x), other.probabilities(x[:, columns]), atol=2e-3)


@ONCE
@pytest.mark.parametrize("name", FIXED)
@given(seed=st.integers(0, 2**31))
def test_exchanging_the_classes_names_exchanges_the_columns(name, seed):
    x, y, groups = table(seed)
    one = quick(name).fit(x, y, groups, rng=np.random.default_rng(1))
    other = quick(name).fit(x, 1 - y, groups, rng=np.random.default_rng(1))
    np.testing.assert_allclose(one.probabilities(x), other.probabilities(x)[:, ::-1], atol=2e-3)


@ONCE
@pytest.mark.parametrize("name", MEMBERS)
@given(seed=st.integers(0, 2**31))
def test_units_of_a_column_change_nothing(name, seed):
    x, y, groups = table(seed)
    scale = 2.0 ** np.random.default_rng(seed).integers(-8, 9, x.shape[1])
    one = quick(name).fit(x, y, groups, rng=np.random.default_rng(2))
    other = quick(name).fit(x * scale, y, groups, rng=np.random.default_rng(2))
    np.testing.assert_allclose(one.probabilities(x), other.probabilities(x * scale), atol=1e-9)


@FEW
@given(st.integers(0, 2**31), st.integers(2, 4), st.integers(2, 5))
def test_no_patient_is_in_two_inner_folds(seed, classes, k):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 30, size=90)
    groups = np.unique(groups, return_inverse=True)[1]
    y = rng.integers(0, classes, size=90)
    fold = patient_folds(y, groups, k, rng=rng)
    for patient in np.unique(groups):
        assert len(set(fold[groups == patient])) == 1
    sizes = np.bincount(fold[np.unique(groups, return_index=True)[1]], minlength=k)
    assert sizes.max() - sizes.min() <= 1


@ONCE
@given(st.integers(0, 2**31))
def test_copies_of_a_patient_do_not_leak(seed):
    """Classes drawn by lot: copies of a row taken for other patients would seem to tell them."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(50), 4)
    x, y = rng.normal(size=(50, 5))[patients], rng.permutation(np.arange(50) % 2)[patients]
    nearest = Candidate(preparation=Preparation(), learner=Neighbours(k=3))
    member = replace(MEMBERS["knn"], candidates=(nearest,))
    assert member.fit(x, y, np.arange(200), rng=rng).choice.auc[0] > 0.95
    by_patient = member.fit(x, y, patients, rng=rng).choice
    assert by_patient.auc[0] < 0.8
    assert by_patient.log_loss[0] > 0.55


@FEW
@given(st.integers(0, 2**31), st.floats(0.1, 2.0))
def test_maximum_entropy_expects_what_was_observed(seed, width):
    """The expected features of the model lie in the box around the observed ones."""
    rng = np.random.default_rng(seed)
    y = np.arange(60) % 3
    rows = Rows(
        x=rng.normal(size=(60, 4)) + rng.normal(size=(3, 4))[y],
        y=y,
        weight=np.ones(60),
        groups=np.arange(60),
        classes=3,
    )
    learner = MaximumEntropy(width=width)
    p = softmax(learner.fit(rows, rng=rng).log_scores(rows.x))
    design = moments(rows.x)
    miss = np.abs(design.T @ (p - rows.truth)) / 60
    assert (miss <= learner.box(rows)[:, None] + 2e-4).all()
    np.testing.assert_allclose(p.mean(axis=0), rows.truth.mean(axis=0), atol=2e-4)


@FEW
@given(st.integers(0, 2**31), st.floats(0.55, 1.0))
def test_what_is_certain_is_possible(seed, purity):
    rng = np.random.default_rng(seed)
    blocks, member = rng.integers(0, 12, size=50), rng.random(50) < 0.5
    blocks = np.unique(blocks, return_inverse=True)[1]
    lower = lower_approximation(blocks, member, purity=purity)
    upper = upper_approximation(blocks, member, purity=purity)
    assert not (lower & ~upper).any()
    other = lower_approximation(blocks, ~member, purity=purity)
    np.testing.assert_array_equal(upper, ~other)
    if purity == 1:
        assert not (lower & ~member).any()
        assert not (member & ~upper).any()


@FEW
@given(st.integers(0, 2**31))
def test_a_reduct_tells_all_and_nothing_in_it_is_superfluous(seed):
    rng = np.random.default_rng(seed)
    values, y = rng.integers(0, 3, size=(40, 6)), rng.integers(0, 2, size=40)
    every = np.arange(6)
    own = reduct(values, y, every, most=6)
    whole = dependency(classes_of(values, every), y)
    assert dependency(classes_of(values, own), y) == whole
    for left_out in own:
        fewer = own[own != left_out]
        if len(fewer):
            assert dependency(classes_of(values, fewer), y) < whole


@FEW
@given(st.integers(0, 2**31), st.integers(2, 5), st.floats(1.2, 3.0))
def test_fuzzy_clusters_share_each_row_and_never_get_worse(seed, count, fuzziness):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 3))
    found = fuzzy_c_means(x, scattered(x, count, rng=rng), fuzziness=fuzziness)
    np.testing.assert_allclose(found.degrees.sum(axis=1), 1, atol=1e-12)
    falls = np.diff(found.objective)
    assert (falls <= 1e-9 * found.objective[:-1]).all()


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.integers(1, 2), st.integers(1, 3), st.integers(1, 2))
def test_the_minimum_cut_is_the_cheapest_of_all(seed, a, b, c):
    """Against every labelling of a tiny grid, with other prices in each direction."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(-20, 20, size=(a, b, c))
    ahead, back = rng.integers(0, 15, size=(2, 3, a, b, c)).astype(np.int32)

    def prices(x):
        total = (x * cost).sum(axis=(1, 2, 3))
        for axis in range(3):
            one, two = np.delete(x, -1, axis + 1), np.delete(x, 0, axis + 1)
            total += (np.delete(ahead[axis], -1, axis) * (~one & two)).sum(axis=(1, 2, 3))
            total += (np.delete(back[axis], -1, axis) * (one & ~two)).sum(axis=(1, 2, 3))
        return total

    bits = np.arange(2 ** (a * b * c))[:, None] >> np.arange(a * b * c) & 1
    every = bits.astype(bool).reshape(-1, a, b, c)
    assert prices(minimum_cut(cost, ahead, back)[None])[0] == prices(every).min()


@settings(max_examples=8)
@given(st.integers(0, 2**31), st.integers(2, 3))
def test_a_graph_cut_is_no_dearer_than_the_law_allows(seed, classes):
    """Two classes: the cheapest of all labellings; three: at most twice as dear (Potts)."""
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 60, size=(classes, 1, 2, 4))
    border = rng.integers(0, 30, size=(3, 1, 2, 4)).astype(np.int32)
    found = energy(cheapest(data, border), data, border)
    every = product(range(classes), repeat=8)
    best = min(energy(np.array(one).reshape(1, 2, 4), data, border) for one in every)
    assert best <= found <= (best if classes == 2 else 2 * best)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A lump in noise, on a grid of unequal sides and steps, with part of it left out."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(3, 7)), draw(st.integers(9, 15)), draw(st.integers(8, 12)))
    spacing = (draw(st.floats(2.0, 6.0)), draw(st.floats(0.5, 1.5)), draw(st.floats(0.8, 3.0)))
    lump = ndimage.gaussian_filter(rng.normal(size=shape), (0.7, 2, 2)) > 0.05
    image = np.stack([lump + 0.3 * rng.normal(size=shape), rng.normal(size=shape)])
    odds = 3.0 * lump - 1.5 + rng.normal(size=shape)
    chance = 1 / (1 + np.exp(-odds))
    inside = rng.random(shape) < 0.9
    inside.flat[0] = inside.flat[-1] = True
    seeds = np.full(shape, -1)
    seeds.flat[0], seeds.flat[-1] = 0, 1
    return Scene(
        image=np.where(inside, image, np.nan).astype(np.float32),
        spacing_mm=spacing,
        inside=inside,
        probability=np.stack([1 - chance, chance]).astype(np.float32),
        seeds=seeds,
    )


@settings(max_examples=4)
@pytest.mark.parametrize("name", SPATIAL)
@given(scene=scenes())
def test_outlines_stay_inside_keep_their_seeds_and_share_each_voxel(name, scene):
    found = REGION_MEMBERS[name].outline(scene, rng=np.random.default_rng(0))
    assert found.labels.shape == scene.image.shape[1:]
    assert not found.labels[~scene.inside].any()
    assert (found.labels.flat[0], found.labels.flat[-1]) == (0, 1)
    if found.probabilities is not None:
        total = found.probabilities.sum(axis=0)
        np.testing.assert_allclose(total, scene.inside, atol=1e-5)


@settings(max_examples=4)
@pytest.mark.parametrize("name", sorted(set(SPATIAL) - {"normalised-cut", "label-propagation"}))
@given(scene=scenes())
def test_a_picture_is_a_volume_of_one_slice(name, scene):
    """On the grid turned over, too: no axis is special."""
    flat = Scene(
        image=scene.image[:, 1],
        spacing_mm=scene.spacing_mm[1:],
        inside=scene.inside[1],
        probability=scene.probability[:, 1],
    )
    turned = Scene(
        image=np.swapaxes(flat.image, 1, 2)[..., None],
        spacing_mm=(*flat.spacing_mm[::-1], 3.0),
        inside=flat.inside.T[..., None],
        probability=np.swapaxes(flat.probability, 1, 2)[..., None],
    )
    one = REGION_MEMBERS[name].outline(flat, rng=np.random.default_rng(0))
    other = REGION_MEMBERS[name].outline(turned, rng=np.random.default_rng(0))
    assert (one.labels != other.labels[..., 0].T).mean() <= 0.02


@settings(max_examples=10)
@given(scenes())
def test_a_random_walk_is_harmonic(scene):
    """Away from seeds, each probability is the weighted mean of its neighbours'."""
    seeds = np.where(np.random.default_rng(0).random(scene.inside.shape) < 0.1, 0, -1)
    seeds.flat[-1] = 1
    bare = replace(scene, probability=None, seeds=seeds).raised()
    method = RandomWalker(accuracy=1e-9)
    p = method.solve(bare, rng=np.random.default_rng(0)).probabilities[1].astype(float)
    weights = edges(bare, contrast=method.contrast)
    weights = np.where(weights > 0, np.maximum(weights, 1e-4), 0)
    total, mean = np.zeros(p.shape), np.zeros(p.shape)
    for axis in range(3):
        w = np.delete(weights[axis], -1, axis)
        low = [slice(0, -1) if a == axis else slice(None) for a in range(3)]
        high = [slice(1, None) if a == axis else slice(None) for a in range(3)]
        total[tuple(low)] += w
        total[tuple(high)] += w
        mean[tuple(low)] += w * p[tuple(high)]
        mean[tuple(high)] += w * p[tuple(low)]
    piece, count = ndimage.label(scene.inside)
    lone = [n for n in range(1, count + 1) if not (seeds[piece == n] >= 0).any()]
    free = scene.inside & (seeds < 0) & ~np.isin(piece, lone)
    np.testing.assert_allclose((mean / np.maximum(total, 1e-12))[free], p[free], atol=1e-5)
    assert p.min() >= -1e-6
    assert p.max() <= 1 + 1e-6


@settings(max_examples=6)
@pytest.mark.parametrize("name", ["graph-cut", "random-walker", "conditional-random-field"])
@given(scene=scenes())
def test_intensity_units_change_nothing(name, scene):
    other = replace(scene, image=scene.image * 64)
    one = REGION_MEMBERS[name].outline(scene, rng=np.random.default_rng(0))
    two = REGION_MEMBERS[name].outline(other, rng=np.random.default_rng(0))
    assert (one.labels != two.labels).mean() <= 0.01


@FEW
@given(st.integers(0, 2**31))
def test_harmonising_what_is_alike_changes_next_to_nothing(seed):
    """Sites whose features are equal in mean and spread, exactly, are only scaled alike.

    ComBat divides the pooled variance by n and a site's by n - 1, so all shrinks by one factor.
    """
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(30, 6))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    x = np.concatenate([rows, rows[rng.permutation(30)]]) * 10.0 ** rng.integers(-3, 4, 6)
    sites = ["north"] * 30 + ["south"] * 30
    found = fit_harmonisation(x, sites).apply(x, sites)
    np.testing.assert_allclose(
        found / x.std(axis=0), x / x.std(axis=0) * (29 / 30) ** 0.5, atol=1e-9
    )
    shift = fit_harmonisation(x, sites, shrink=False).shift
    np.testing.assert_allclose(shift, 0, atol=1e-10)


@FEW
@given(st.integers(0, 2**31))
def test_harmonised_sites_agree_in_mean_and_spread(seed):
    rng = np.random.default_rng(seed)
    site = np.arange(90) % 3
    x = (
        rng.normal(size=(90, 5)) * (0.5 + rng.random((3, 5)))[site]
        + 3 * rng.normal(size=(3, 5))[site]
    )
    names = [f"s{n}" for n in site]
    found = fit_harmonisation(x, names, shrink=False).apply(x, names)
    means = np.stack([found[site == n].mean(axis=0) for n in range(3)])
    spreads = np.stack([found[site == n].std(axis=0) for n in range(3)])
    np.testing.assert_allclose(means - means[0], 0, atol=1e-9)
    np.testing.assert_allclose(spreads / spreads[0], 1, atol=1e-9)
