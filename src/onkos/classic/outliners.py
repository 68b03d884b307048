"""Members of the classic families that segment an image, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onkos.classic.fuzzy_field import FuzzyField
from onkos.classic.graph_cut import GraphCut
from onkos.classic.hidden_field import HiddenField
from onkos.classic.learned import LearnedFromSeeds
from onkos.classic.level_set import LevelSet
from onkos.classic.members import MEMBERS
from onkos.classic.random_field import RandomField
from onkos.classic.region_graph import NormalisedCut, RegionPropagation
from onkos.classic.scene import Outline, Scene
from onkos.classic.table import Family
from onkos.classic.walker import RandomWalker


class SceneMethod(Protocol):
    """A segmentation method for a scene on three axes, with its settings."""

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMember:
    """A classic method that segments an image.

    Parameters
    ----------
    name, family
        As in ``REGION_MEMBERS``, and as the review groups the methods.
    method
        The method and its settings.
    """

    name: str
    family: Family
    method: SceneMethod

    def outline(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment a scene.

        Parameters
        ----------
        scene
            Image, and probabilities or seeds. Voxels with a seed keep its class.
        rng
            Of everything random in the method.

        Raises
        ------
        UsageError
            If the method needs probabilities or seeds and the scene has none.
        """
        found = self.method.solve(scene.raised(), rng=rng)
        grid = scene.image.shape[1:]
        shares = found.probabilities
        return Outline(
            labels=found.labels.reshape(grid),
            probabilities=None if shares is None else shares.reshape(len(shares), *grid),
            settled=found.settled,
        )


def _learned(name: str) -> RegionMember:
    """Return a table member fitted to the seeds of one image."""
    member = MEMBERS[name]
    return RegionMember(name=name, family=member.family, method=LearnedFromSeeds(member=member))


REGION_MEMBERS: dict[str, RegionMember] = {
    "fuzzy-c-means": RegionMember(name="fuzzy-c-means", family="set theory", method=FuzzyField()),
    "hidden-markov-field": RegionMember(
        name="hidden-markov-field", family="probability statistics", method=HiddenField()
    ),
    "normalised-cut": RegionMember(name="normalised-cut", family="graph", method=NormalisedCut()),
    "label-propagation": RegionMember(
        name="label-propagation", family="graph", method=RegionPropagation()
    ),
    "random-walker": RegionMember(name="random-walker", family="graph", method=RandomWalker()),
    "graph-cut": RegionMember(name="graph-cut", family="graph", method=GraphCut()),
    "conditional-random-field": RegionMember(
        name="conditional-random-field", family="graph", method=RandomField()
    ),
    "level-set": RegionMember(name="level-set", family="spatial geometry", method=LevelSet()),
    "naive-bayes": _learned("naive-bayes"),
    "svm": _learned("svm"),
    "knn": _learned("knn"),
    "lda": _learned("lda"),
    "mlp": _learned("mlp"),
    "random-forest": _learned("random-forest"),
}
