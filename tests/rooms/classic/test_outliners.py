"""Region members: against other implementations, and on a lump in noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse.csgraph import maximum_flow
from skimage.segmentation import random_walker
from sklearn.mixture import GaussianMixture

from onkos.classic.bilateral import BilateralGrid
from onkos.classic.graph_cut import GraphCut
from onkos.classic.hidden_field import HiddenField
from onkos.classic.level_set import LevelSet, signed_depth
from onkos.classic.maximum_flow import minimum_cut
from onkos.classic.outliners import REGION_MEMBERS
from onkos.classic.region_graph import partition, pooled, with_regions
from onkos.classic.scene import Scene, edges, evenness
from onkos.classic.walker import RandomWalker
from onkos.core.errors import ContentError, GeometryError, UsageError

SPACING = (3.0, 1.0, 1.5)
SEEDED = ("naive-bayes", "svm", "knn", "lda", "mlp", "random-forest")


def ball(rng, *, noise=0.6, shape=(10, 28, 21), radius=9.0):
    """A ball in millimetres on an uneven grid, in noise, with unsure probabilities."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, SPACING, strict=True)]
    far = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    truth = far < radius
    image = np.stack([truth, ~truth]) + noise * rng.normal(size=(2, *shape))
    odds = 2.5 * truth - 1.25 + 1.2 * rng.normal(size=shape)
    chance = (1 / (1 + np.exp(-odds))).astype(np.float32)
    seeds = np.full(shape, -1)
    seeds[far < radius / 2] = 1
    seeds[far > 1.6 * radius] = 0
    scene = Scene(
        image=image.astype(np.float32),
        spacing_mm=SPACING,
        probability=np.stack([1 - chance, chance]),
    )
    seeded = Scene(image=scene.image, spacing_mm=SPACING, seeds=seeds)
    return truth, scene, seeded


def fine(name):
    """A member whose supervoxels, if it makes any, are small enough for the ball."""
    member = REGION_MEMBERS[name]
    if not hasattr(member.method, "edge_mm"):
        return member
    return replace(member, method=replace(member.method, edge_mm=3.0))


def overlap(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("name", [name for name in REGION_MEMBERS if name not in SEEDED])
def test_members_outline_better_than_the_probabilities_they_are_given(name, rng):
    truth, scene, _ = ball(rng)
    before = overlap(scene.probability[1] > 0.5, truth)
    found = fine(name).outline(scene, rng=rng)
    assert overlap(found.labels == 1, truth) > before + 0.1
    assert overlap(found.labels == 1, truth) > 0.8


@pytest.mark.parametrize("name", ["svm", "lda", "knn", "graph-cut", "random-walker", "level-set"])
def test_members_outline_from_seeds(name, rng):
    truth, _, seeded = ball(rng, noise=0.3)
    found = fine(name).outline(seeded, rng=rng)
    assert overlap(found.labels == 1, truth) > 0.8


@pytest.mark.parametrize("name", [n for n in REGION_MEMBERS if n not in SEEDED or n == "lda"])
def test_three_classes(name, rng):
    truth, _, _ = ball(rng, noise=0.2)
    labels = truth.astype(int)
    labels[:, :, :10] *= 2
    seeds = np.where(rng.random(labels.shape) < 0.3, labels, -1)
    image = np.stack([labels == 1, labels == 2]) + 0.2 * rng.normal(size=(2, *labels.shape))
    scene = Scene(image=image.astype(np.float32), spacing_mm=SPACING, seeds=seeds)
    found = fine(name).outline(scene, rng=rng)
    coarse = hasattr(REGION_MEMBERS[name].method, "edge_mm")
    for code in (1, 2):
        assert overlap(found.labels == code, labels == code) > (0.7 if coarse else 0.85)


@pytest.mark.parametrize("name", REGION_MEMBERS)
def test_members_without_evidence_find_classes_or_say_what_they_need(name, rng):
    _, scene, _ = ball(rng, noise=0.2)
    bare = Scene(image=scene.image, spacing_mm=SPACING)
    if name in ("hidden-markov-field", "fuzzy-c-means"):
        found = REGION_MEMBERS[name].outline(bare, rng=rng)
        means = [scene.image[0][found.labels == code].mean() for code in np.unique(found.labels)]
        assert len(means) >= 2
        assert means == sorted(means)
    else:
        with pytest.raises(UsageError, match="seeds"):
            REGION_MEMBERS[name].outline(bare, rng=rng)


@pytest.mark.parametrize("name", [name for name in REGION_MEMBERS if name not in SEEDED])
@pytest.mark.parametrize("inside", ["all", "one voxel"])
def test_an_image_that_says_nothing_leaves_what_was_given(name, inside, rng):
    chance = np.full((3, 5, 4), 0.9, dtype=np.float32)
    where = np.ones(chance.shape, dtype=bool)
    if inside == "one voxel":
        where[:] = False
        where[1, 2, 3] = True
    scene = Scene(
        image=np.zeros((1, 3, 5, 4)),
        spacing_mm=SPACING,
        probability=np.stack([1 - chance, chance]),
        inside=where,
    )
    found = REGION_MEMBERS[name].outline(scene, rng=rng)
    np.testing.assert_array_equal(found.labels == 1, where)


def test_a_hidden_field_without_smoothing_is_a_gaussian_mixture(rng):
    truth, scene, _ = ball(rng, noise=0.4)
    bare = Scene(image=scene.image, spacing_mm=SPACING)
    method = HiddenField(smoothing=0.0, rounds=600, rest=1e-9, classes=2)
    found = method.solve(bare, rng=np.random.default_rng(0)).probabilities
    x = scene.image.reshape(2, -1).T.astype(float)
    start = np.array([x[~truth.ravel()].mean(axis=0), x[truth.ravel()].mean(axis=0)])
    theirs = GaussianMixture(2, means_init=start, tol=1e-10, reg_covar=0, max_iter=1000)
    theirs.fit(x)
    np.testing.assert_allclose(found.reshape(2, -1).T, theirs.predict_proba(x), atol=1e-3)


def test_the_walker_agrees_with_scikit_image(rng):
    """Same graph: one channel, an even grid, their beta chosen so that weights are ours."""
    image = ndimage.gaussian_filter(rng.normal(size=(6, 9, 8)), 1).astype(np.float32)
    seeds = np.full(image.shape, -1)
    seeds[0, 0, 0], seeds[5, 8, 7], seeds[0, 8, 0] = 0, 1, 2
    scene = Scene(image=image[None], spacing_mm=(1.0, 1.0, 1.0), seeds=seeds)
    ours = RandomWalker(contrast=2.0, accuracy=1e-9).solve(scene, rng=rng).probabilities
    mean = np.mean(np.concatenate([np.diff(image, axis=a).ravel() ** 2 for a in range(3)]))
    beta = 2.0 / (2 * mean) * 10 * image.std()
    theirs = random_walker(image, seeds + 1, beta=beta, mode="bf", return_full_prob=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_part_no_seed_reaches_goes_by_its_intensity(rng):
    image = np.zeros((1, 1, 9), dtype=np.float32)
    image[0, 0, [3, 4, 8]] = 1
    inside = np.ones((1, 9), dtype=bool)
    inside[0, 6] = False  # the last two are cut off
    seeds = np.full((1, 9), -1)
    seeds[0, [0, 4]] = 0, 1
    scene = Scene(image=image[:, 0][:, None], spacing_mm=(1.0, 1.0), inside=inside, seeds=seeds)
    found = REGION_MEMBERS["random-walker"].outline(scene, rng=rng)
    assert found.labels[0].tolist()[7:] == [0, 1]


def test_minimum_cut_agrees_with_scipys_maximum_flow(rng):
    shape = (4, 9, 7)
    cost = rng.integers(-300, 300, size=shape)
    border = rng.integers(0, 200, size=(3, *shape)).astype(np.int32)
    second = minimum_cut(cost, border, border)
    price = int(cost[second].sum())
    for axis in range(3):
        cut = np.diff(second.astype(int), axis=axis) != 0
        price += int(np.delete(border[axis], -1, axis)[cut].sum())
    number = np.arange(cost.size).reshape(shape)
    source, sink = cost.size, cost.size + 1
    graph = sparse.lil_array((sink + 1, sink + 1), dtype=np.int32)
    for node, value in enumerate(cost.ravel()):
        graph[(source, node) if value > 0 else (node, sink)] = abs(int(value))
    for axis in range(3):
        pairs = np.delete(number, -1, axis).ravel(), np.delete(number, 0, axis).ravel()
        for one, two, room in zip(*pairs, np.delete(border[axis], -1, axis).ravel(), strict=True):
            graph[one, two] = graph[two, one] = room
    flow = maximum_flow(sparse.csr_array(graph), source, sink).flow_value
    assert price == flow + int(cost[cost < 0].sum())


def test_a_border_costs_its_area_whatever_the_voxels_shape():
    even = evenness((4, 4, 4), (2.0, 2.0, 2.0))
    np.testing.assert_allclose(even, 1)
    uneven = evenness((4, 4, 4), (5.0, 1.0, 1.0))
    assert uneven[1] / uneven[0] == pytest.approx(5)
    assert evenness((1, 4, 4), (9.0, 1.0, 1.0)).tolist() == [0, 1, 1]


def test_more_smoothing_gives_a_shorter_border(rng):
    _, scene, _ = ball(rng)
    borders = []
    for smoothing in (0.0, 0.5, 3.0):
        labels = GraphCut(smoothing=smoothing).solve(scene, rng=rng).labels.astype(int)
        borders.append(sum(int((np.diff(labels, axis=a) != 0).sum()) for a in range(3)))
    assert borders[0] > borders[1] > borders[2] > 0


def test_a_level_set_shrinks_a_ball_as_curvature_says():
    """Without force, dr/dt = -2/r: so from 8 mm to sqrt(64 - 4 t), in millimetres on any grid."""
    axes = [
        (np.arange(n) - (n - 1) / 2) * s for n, s in zip((19, 25, 21), (1.2, 0.9, 1.0), strict=True)
    ]
    far = np.sqrt(sum(a**2 for a in np.meshgrid(*axes, indexing="ij")))
    half = np.full((2, 19, 25, 21), 0.5, dtype=np.float32)
    half[1] += np.where(far < 8, 1e-4, -1e-4)
    half[0] = 1 - half[1]
    scene = Scene(
        image=np.zeros((1, *far.shape), np.float32), spacing_mm=(1.2, 0.9, 1.0), probability=half
    )
    steps, smoothing = 40, 2.0
    rate = min(0.4 * 0.9, 0.15 * 0.9**2 / smoothing)
    labels = LevelSet(smoothing_mm=smoothing, look=0.0, steps=steps).solve(scene, rng=None).labels
    radius = (3 * labels.sum() * 1.2 * 0.9 / (4 * np.pi)) ** (1 / 3)
    assert radius == pytest.approx(np.sqrt(64 - 4 * smoothing * steps * rate), rel=0.04)


def test_depth_is_in_millimetres():
    part = np.zeros((9, 5), dtype=bool)
    part[3:] = True
    depth = signed_depth(part[None], (4.0, 2.0, 1.0))[0]
    assert depth[3, 2] == pytest.approx(1.5)
    assert depth[2, 2] == pytest.approx(-1.5)


def test_the_bilateral_grid_averages_like_its_definition(rng):
    shape = (1, 24, 20)
    step = (np.arange(20) >= 10).astype(np.float32)
    channel = np.broadcast_to(5 * step, shape).astype(np.float32)
    grid = BilateralGrid.over(channel, reach_voxels=(1.0, 3.0, 3.0), reach_intensity=1.0)
    values = rng.random((1, *shape)).astype(np.float32)
    found = grid.averaged(values, np.ones(shape, dtype=bool))[0]
    left = values[0, 0, :, :10].mean()
    assert found[0, :, :8].mean() == pytest.approx(left, abs=0.02)
    marked = values.copy()
    marked[..., 10:] += 100  # beyond an edge of five reaches nothing is heard
    np.testing.assert_allclose(
        grid.averaged(marked, np.ones(shape, dtype=bool))[0, 0, :, :10], found[0, :, :10], atol=0.05
    )


def test_regions_are_shared_and_their_means_are_means(rng):
    _, scene, _ = ball(rng)
    shared = with_regions(scene)
    regions, count = partition(shared.raised(), edge_mm=6.0)
    np.testing.assert_array_equal(regions, shared.regions)
    assert np.unique(regions).tolist() == list(range(1, count + 1))
    means = pooled(scene.image, regions, count)
    assert means[4, 1] == pytest.approx(scene.image[1][regions == 5].mean(), rel=1e-5)


def test_edges_are_weak_where_the_image_changes():
    image = np.zeros((1, 1, 6), dtype=np.float32)
    image[..., 3:] = 1
    found = edges(Scene(image=image, spacing_mm=(1.0, 1.0)), contrast=1.0)[1, 0]
    assert found[2] < 0.2
    assert found[[0, 1, 3, 4]] == pytest.approx(1)
    assert found[5] == 0


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"spacing_mm": (1.0,)}, GeometryError, "positive spacing"),
        ({"spacing_mm": (1.0, -1.0)}, GeometryError, "positive spacing"),
        ({"seeds": np.zeros((3, 3))}, GeometryError, "seeds of shape"),
        ({"inside": np.zeros((4, 5), bool)}, ContentError, "no voxel inside"),
        ({"image": np.full((1, 4, 5), np.nan)}, ContentError, "not finite"),
        ({"probability": np.ones((2, 4, 5))}, ContentError, "sum to one"),
        ({"probability": np.ones((1, 4, 5))}, ContentError, "two classes"),
        ({"seeds": np.full((4, 5), -1)}, ContentError, "at least one"),
        ({"seeds": np.full((4, 5), -2)}, ContentError, "from 0 on"),
    ],
)
def test_scenes_that_do_not_fit_are_refused(change, kind, words):
    good = {"image": np.ones((1, 4, 5)), "spacing_mm": (1.0, 1.0)}
    with pytest.raises(kind, match=words):
        Scene(**{**good, **change})


def test_a_class_without_seeds_is_refused(rng):
    seeds = np.full((4, 5), -1)
    seeds[0, 0] = 1
    scene = Scene(image=np.ones((1, 4, 5)), spacing_mm=(1.0, 1.0), seeds=seeds)
    with pytest.raises(ContentError, match="class 0 has none"):
        REGION_MEMBERS["graph-cut"].outline(scene, rng=rng)
