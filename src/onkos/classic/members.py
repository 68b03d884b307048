"""Members of the classic families that classify a feature table, by name."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from onkos.classic.bayes import NaiveBayes
from onkos.classic.evolution import Evolution
from onkos.classic.fuzzy import FuzzyRules
from onkos.classic.inner import Candidate
from onkos.classic.kernel import SupportVectors
from onkos.classic.learning import Learner
from onkos.classic.linear import Discriminant, Logistic, MaximumEntropy
from onkos.classic.neighbours import LabelPropagation, Neighbours
from onkos.classic.perceptron import Perceptrons
from onkos.classic.preparation import Preparation
from onkos.classic.rough_rules import RoughRules
from onkos.classic.table import Member
from onkos.classic.trees import Boosting, Forest

ALL = Preparation()
FEW = Preparation(correlation=0.9, selection="anova", keep=10)
SOME = Preparation(selection="anova", keep=40)
FEW_APART = Preparation(selection="mrmr", keep=10)
SOME_APART = Preparation(selection="mrmr", keep=30)
LASSO = Preparation(selection="l1", keep=30)
MOST = Preparation(selection="anova", keep=60)
SHARES = Preparation(scaling="common", correlation=1.0)


def _grid(
    preparations: tuple[Preparation, ...],
    learners: tuple[Learner, ...],
    *,
    balanced: tuple[bool, ...] = (False,),
) -> tuple[Candidate, ...]:
    """Every preparation with every learner."""
    return tuple(
        Candidate(preparation=preparation, learner=learner, balanced=even)
        for preparation, learner, even in product(preparations, learners, balanced)
    )


MEMBERS: dict[str, Member] = {
    "rough-sets": Member(
        name="rough-sets",
        family="set theory",
        candidates=_grid((SOME_APART, MOST), (RoughRules(most=2), RoughRules(most=4))),
    ),
    "fuzzy-rules": Member(
        name="fuzzy-rules",
        family="set theory",
        candidates=_grid(
            (FEW_APART, SOME_APART),
            tuple(FuzzyRules(rules=n, sharpness=s) for n, s in product((1, 3, 6), (0.7, 1.5))),
        ),
    ),
    "naive-bayes": Member(
        name="naive-bayes",
        family="probability statistics",
        candidates=_grid(
            (FEW, FEW_APART, SOME_APART, SOME, ALL),
            (NaiveBayes(pooled=0.1), NaiveBayes(pooled=0.9)),
        ),
    ),
    "logistic": Member(
        name="logistic",
        family="probability statistics",
        candidates=_grid(
            (ALL,),
            tuple(
                Logistic(strength=s, mix=m) for m, s in product((1.0, 0.1), (0.4, 0.2, 0.1, 0.05))
            ),
        ),
    ),
    "maximum-entropy": Member(
        name="maximum-entropy",
        family="probability statistics",
        candidates=_grid((ALL,), tuple(MaximumEntropy(width=w) for w in (2.0, 1.0, 0.5, 0.25))),
    ),
    "svm": Member(
        name="svm",
        family="spatial geometry",
        candidates=_grid(
            (ALL, SOME_APART),
            tuple(
                SupportVectors(cost=c, gamma=g)
                for c, g in ((1.0, 0.1), (1.0, 0.5), (1.0, 2.0), (10.0, 0.1), (10.0, 0.5))
            ),
            balanced=(True,),
        ),
    ),
    "knn": Member(
        name="knn",
        family="spatial geometry",
        candidates=_grid(
            (FEW, FEW_APART, SOME_APART, ALL), tuple(Neighbours(k=k) for k in (50, 25, 12))
        ),
    ),
    "lda": Member(
        name="lda",
        family="spatial geometry",
        candidates=_grid((FEW_APART, SOME_APART, LASSO, MOST, ALL), (Discriminant(),)),
    ),
    "label-propagation": Member(
        name="label-propagation",
        family="graph",
        candidates=_grid(
            (FEW_APART, SOME_APART, ALL),
            tuple(LabelPropagation(k=k, give_way=a) for k, a in product((25, 10), (0.9, 0.5))),
        ),
    ),
    "mlp": Member(
        name="mlp",
        family="cross-disciplinary",
        candidates=_grid(
            (SOME_APART, MOST), (Perceptrons(decay=0.1), Perceptrons(decay=0.03, hidden=20))
        ),
    ),
    "random-forest": Member(
        name="random-forest",
        family="cross-disciplinary",
        candidates=_grid(
            (ALL,),
            (Forest(kind="random", trees=150, leaf=2), Forest(kind="random", trees=150, leaf=6)),
        ),
    ),
    "extra-trees": Member(
        name="extra-trees",
        family="cross-disciplinary",
        candidates=_grid(
            (ALL,),
            (Forest(kind="extra", leaf=2), Forest(kind="extra", leaf=3, features=0.3)),
            balanced=(True,),
        ),
    ),
    "gradient-boosting": Member(
        name="gradient-boosting",
        family="cross-disciplinary",
        candidates=_grid(
            (ALL,),
            (Boosting(), Boosting(stages=300, depth=2), Boosting(stages=150, depth=4)),
        ),
    ),
    "evolutionary": Member(
        name="evolutionary",
        family="cross-disciplinary",
        candidates=_grid((MOST,), (Evolution(price=0.006), Evolution(price=0.001))),
    ),
}

#: Support vector machine for shares that sum to one: scaling keeps their Hellinger distances.
SHARES_SVM = replace(
    MEMBERS["svm"],
    candidates=_grid(
        (SHARES,),
        tuple(SupportVectors(cost=c, gamma=g) for c, g in product((1.0, 10.0), (0.3, 1.0, 3.0))),
        balanced=(True,),
    ),
)
