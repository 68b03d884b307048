"""Tree ensembles, grown by scikit-learn and kept as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)

from onkos.classic.learning import Bools, Rows
from onkos.classic.linear import both
from onkos.core.errors import ContentError
from onkos.core.geometry import AnyArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trees:
    """All trees of an ensemble in one list of nodes.

    Parameters
    ----------
    feature, threshold, left, right
        Of each node: a row goes left where its feature is at most the threshold; a leaf has
        feature -1. A child always comes after its parent.
    values
        (nodes, classes): class probabilities or scores of a leaf.
    roots
        First node of each tree.
    start
        (classes,): initial score, before any tree.
    columns
        How many columns a row has.
    voting
        1 where leaves hold probabilities (forest), 0 where they hold scores (boosting).
    """

    feature: AnyArray
    threshold: AnyArray
    left: AnyArray
    right: AnyArray
    values: AnyArray
    roots: AnyArray
    start: AnyArray
    columns: AnyArray
    voting: AnyArray

    def __post_init__(self) -> None:
        inner = np.flatnonzero(self.feature >= 0)
        nodes = len(self.feature)
        sound = (
            self.threshold.shape == self.left.shape == self.right.shape == (nodes,)
            and self.values.shape == (nodes, *self.start.shape)
            and ((self.roots >= 0) & (self.roots < nodes)).all()
            and (self.feature < self.columns).all()
            and (np.minimum(self.left, self.right)[inner] > inner).all()
            and (np.maximum(self.left, self.right)[inner] < nodes).all()
        )
        if not sound:
            raise ContentError(f"trees of {nodes} nodes: children, features or values do not fit")

    def log_scores(self, x: FloatArray) -> FloatArray:
        """Sum over the trees, as scores."""
        total = np.tile(self.start, (len(x), 1)).astype(np.float64)
        rows = np.ascontiguousarray(x, dtype=np.float32)
        if rows.shape[1] != int(self.columns):
            raise ContentError(f"rows of {rows.shape[1]} columns for trees of {self.columns}")
        nodes = (self.feature, self.threshold, self.left, self.right)
        _add_leaves(rows, nodes, self.values, self.roots, total)
        if self.voting:
            return np.asarray(np.log(total / len(self.roots) + 1e-3))
        return total

    def used(self) -> Bools:
        """Columns that some node splits on."""
        asked = np.zeros(int(self.columns), dtype=np.bool_)
        asked[self.feature[self.feature >= 0]] = True
        return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Random forest, or extremely randomised trees.

    Parameters
    ----------
    kind
        ``random`` draws rows and looks for the best threshold, ``extra`` draws thresholds.
    trees, leaf, features
        Number of trees, minimum rows in a leaf, fraction of the columns tried at each split (0
        for the square root of their number).

    References
    ----------
    Breiman L. Random forests. Mach Learn 2001;45:5-32. doi:10.1023/A:1010933404324
    Geurts P, Ernst D, Wehenkel L. Extremely randomized trees. Mach Learn 2006;63:3-42.
    doi:10.1007/s10994-006-6226-1
    """

    kind: Literal["random", "extra"]
    trees: int = 200
    leaf: int = 1
    features: float = 0.0

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Trees:
        """Grow the trees."""
        grower = RandomForestClassifier if self.kind == "random" else ExtraTreesClassifier
        forest = grower(
            n_estimators=self.trees,
            min_samples_leaf=self.leaf,
            max_features=self.features or "sqrt",
            random_state=int(rng.integers(2**31)),
        )
        forest.fit(rows.x, rows.y, sample_weight=rows.weight)
        tables = []
        for tree in forest.estimators_:
            shares = np.zeros((tree.tree_.node_count, rows.classes))
            counts = tree.tree_.value[:, 0, :]
            shares[:, forest.classes_.astype(int)] = counts / counts.sum(axis=1, keepdims=True)
            tables.append((tree.tree_, shares))
        return _joined(tables, np.zeros(rows.classes), rows.x.shape[1], voting=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """Gradient boosting of the multinomial log-loss, on random rows and columns.

    Parameters
    ----------
    stages, depth, rate
        Boosting iterations, depth of each tree, and learning rate.
    features
        Fraction of the columns tried at each split (0 for the square root of their number).

    References
    ----------
    Friedman JH. Stochastic gradient boosting. Comput Stat Data Anal 2002;38:367-378.
    doi:10.1016/S0167-9473(01)00065-2
    """

    stages: int = 150
    depth: int = 2
    rate: float = 0.05
    features: float = 0.0

    def fit(self, rows: Rows, *, rng: np.random.Generator) -> Trees:
        """Grow the trees round by round."""
        model = GradientBoostingClassifier(
            n_estimators=self.stages,
            max_depth=self.depth,
            learning_rate=self.rate,
            subsample=0.6,
            max_features=self.features or "sqrt",
            random_state=int(rng.integers(2**31)),
        ).fit(rows.x, rows.y, sample_weight=rows.weight)
        tables = []
        for stage in model.estimators_:
            for code, tree in enumerate(stage):
                one = np.zeros((tree.tree_.node_count, rows.classes))
                leaf = self.rate * tree.tree_.value[:, 0, 0]
                if rows.classes == 2:
                    one[:] = both(leaf[None]).T
                else:
                    one[:, code] = leaf
                tables.append((tree.tree_, one))
        trees = _joined(tables, np.zeros(rows.classes), rows.x.shape[1], voting=False)
        first = np.atleast_2d(model.decision_function(rows.x[:1]).reshape(1, -1))
        whole = both(first.T).T
        return _joined(
            tables, (whole - trees.log_scores(rows.x[:1]))[0], rows.x.shape[1], voting=False
        )


def _joined(
    tables: Sequence[tuple[Any, FloatArray]], start: FloatArray, columns: int, *, voting: bool
) -> Trees:
    """Concatenate trees; node numbers are shifted accordingly."""
    sizes = [len(values) for _, values in tables]
    roots = np.cumsum([0, *sizes[:-1]])
    whole = np.concatenate
    moved = list(zip([tree for tree, _ in tables], roots, strict=True))
    return Trees(
        feature=whole([np.maximum(tree.feature, -1) for tree, _ in moved]).astype(np.int32),
        threshold=whole([tree.threshold for tree, _ in moved]),
        left=whole([tree.children_left + root for tree, root in moved]).astype(np.int32),
        right=whole([tree.children_right + root for tree, root in moved]).astype(np.int32),
        values=whole([values for _, values in tables]),
        roots=roots.astype(np.int32),
        start=start,
        columns=np.array(columns),
        voting=np.array(int(voting)),
    )


@njit(cache=True, nogil=True)
def _add_leaves(
    x: Any, nodes: Any, values: Any, roots: Any, total: Any
) -> None:  # pragma: no cover
    feature, threshold, left, right = nodes
    for tree in range(roots.shape[0]):  # outside: one tree stays in the cache for all rows
        for row in range(x.shape[0]):
            node = roots[tree]
            while feature[node] >= 0:
                low = x[row, feature[node]] <= threshold[node]
                node = left[node] if low else right[node]
            for code in range(total.shape[1]):
                total[row, code] += values[node, code]
