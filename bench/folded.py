"""Are areas within folds, their intervals and tests honest? Simulated studies (phantom).

Run as ``python bench/folded.py [--studies 1000] [--only WORDS] [--json FILE]``. Each study deals
its cases to folds by class and fits two independent arms of noise, two with a column whose AUC
is 0.7 among columns of noise, and two with one of 0.9; beside them stands a constant arm,
which knows the prevalence of its training cases. Shown is how often each test is significant at
5 %: "rule" is what Onkos does, "plain" the same areas with folds taken for independent, "pooled"
DeLong's test of all folds' scores thrown together; then how often the intervals of one arm hold
the mean area of such arms. Ends with exit code 1 if the rule finds a difference between equal
arms in more than 8 % of the studies of a row.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from onkos.core.errors import ContentError
from onkos.stats.delong import paired_test
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.folded.ranked import Ranked, Spread, ranked
from onkos.stats.folded.within import area_difference_within, area_within
from onkos.stats.significance import tail

AT_MOST = 0.08
MAIN = ((3, 60), (10, 60), (33, 200))
SIZES = ((3, 60), (10, 60), (12, 100), (33, 200), (50, 100))
SHIFT = {area: math.sqrt(2) * float(norm.ppf(area)) for area in (0.7, 0.9)}
TESTS = {  # which arms; all but the last are of equal worth
    "noise - constant": (0, 6),
    "noise - noise": (0, 1),
    "0.7 - 0.7": (2, 3),
    "0.9 - 0.9": (4, 5),
    "0.7 - constant": (2, 6),
}
NULL = tuple(TESTS)[:-1]
WAYS = ("rule", "plain", "pooled")

# of columns (arms, cases, columns), truth and folds (repeats, cases) to (arms, repeats, cases)
Learner = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A row of the table: who learns, and on how many cases in how many folds."""

    learner: str
    columns: int
    positives: int
    cases: int
    folds: int
    repeats: int = 1

    def __str__(self) -> str:
        return (
            f"{self.learner:15} {self.positives:3}/{self.cases:<4} K={self.folds:<3} "
            f"repeats={self.repeats}"
        )


def logistic(columns: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Logistic regression with scikit-learn's penalty (C = 1), all arms and folds at once."""
    arms, cases, width = columns.shape
    count = folds.max() + 1
    train = (folds[:, None] != np.arange(count)[:, None]).reshape(-1, cases)  # (models, cases)
    x = np.concatenate([np.ones((arms, cases, 1)), columns], axis=2)[:, None]
    ridge = np.diag([0.0] + [1.0] * width)
    slope = np.zeros((arms, len(train), width + 1, 1))
    for _ in range(12):
        chance = expit(x @ slope)[..., 0]
        weight = (chance * (1 - chance) * train)[..., None]
        pull = (x.swapaxes(2, 3) @ ((truth - chance) * train)[..., None]) - ridge @ slope
        slope += np.linalg.solve((x * weight).swapaxes(2, 3) @ x + ridge, pull)
    scores = (x @ slope)[..., 0].reshape(arms, len(folds), count, cases)
    return np.take_along_axis(scores, folds[None, :, None, :], axis=2)[:, :, 0]


def centroids(columns: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Where a case lies between the means of the classes."""
    scores = np.zeros((len(columns), *folds.shape))
    for repeat, fold in enumerate(folds):
        for number in range(fold.max() + 1):
            train, test = fold != number, fold == number
            up = columns[:, train & truth].mean(axis=1, keepdims=True)
            down = columns[:, train & ~truth].mean(axis=1, keepdims=True)
            middle = columns[:, test] - (up + down) / 2
            scores[:, repeat, test] = (middle * (up - down)).sum(axis=2)
    return scores


def fitted(model: Callable[[], object]) -> Learner:
    """A learner of scikit-learn."""

    def learn(columns: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(columns), *folds.shape))
        for arm, x in enumerate(columns):
            for repeat, fold in enumerate(folds):
                for number in range(fold.max() + 1):
                    test = fold == number
                    made = model().fit(x[~test], truth[~test])
                    scores[arm, repeat, test] = made.predict_proba(x[test])[:, 1]
        return scores

    return learn


LEARNERS: dict[str, tuple[Learner, float]] = {  # and what share of the studies it is asked
    "logistic": (logistic, 1.0),
    "centroids": (centroids, 1.0),
    "nearest 7": (fitted(lambda: KNeighborsClassifier(7, algorithm="brute")), 0.3),
    "forest of 15": (
        fitted(lambda: RandomForestClassifier(15, min_samples_leaf=3, random_state=0)),
        0.1,
    ),
}


def cells() -> Iterator[Cell]:
    for columns in (1, 10):
        for positives, cases in SIZES:
            for folds in (2, 5, 10) if (positives, cases) in MAIN else (5,):
                yield Cell(
                    learner="logistic",
                    columns=columns,
                    positives=positives,
                    cases=cases,
                    folds=folds,
                )
        for positives, cases in MAIN:
            yield Cell(
                learner="logistic",
                columns=columns,
                positives=positives,
                cases=cases,
                folds=5,
                repeats=5,
            )
    for learner, columns in (("centroids", 30), ("nearest 7", 2), ("forest of 15", 3)):
        for positives, cases in MAIN:
            yield Cell(learner=learner, columns=columns, positives=positives, cases=cases, folds=5)


def dealt(truth: np.ndarray, folds: int, repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Cases dealt to folds class by class, anew in each repeat."""
    made = np.empty((repeats, len(truth)), dtype=np.intp)
    for row in made:
        order = rng.permutation(len(truth))
        row[order[np.argsort(truth[order], kind="stable")]] = np.arange(len(truth)) % folds
    return made


def pooled(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    try:
        return paired_test(truth, first, second).p
    except ContentError:  # areas differ with no variance
        return math.nan


def plain(a: Ranked, b: Ranked) -> float:
    variance = Spread.of(a.influence - b.influence, a.patients).variance
    if variance == 0:
        return 1.0
    return tail((a.value - b.value) / math.sqrt(variance), alternative="two-sided")


def study(cell: Cell, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """P-values, shape (tests, ways), and value, low, high of the arms of 0.7 and 0.9."""
    truth = np.arange(cell.cases) < cell.positives
    columns = rng.normal(size=(6, cell.cases, cell.columns))
    for arm, area in ((2, 0.7), (3, 0.7), (4, 0.9), (5, 0.9)):
        columns[arm, truth, 0] += SHIFT[area]
    folds = dealt(truth, cell.folds, cell.repeats, rng)
    learn, _ = LEARNERS[cell.learner]
    left = np.array([[np.sum(truth[row != fold]) for fold in range(cell.folds)] for row in folds])
    prevalence = np.take_along_axis(left, folds, axis=1) / (cell.cases - cell.cases / cell.folds)
    arms = [
        HeldOut(truth=truth, scores=scores, folds=folds, patients=range(cell.cases))
        for scores in (*learn(columns, truth, folds), prevalence)
    ]
    ranks = [ranked(arm, average="hand-till") for arm in arms]
    found = [
        (
            area_difference_within(arms[i], arms[j]).p,
            plain(ranks[i], ranks[j]),
            pooled(truth, arms[i].scores[0], arms[j].scores[0]),
        )
        for i, j in TESTS.values()
    ]
    intervals = [area_within(arms[arm]) for arm in (2, 4)]
    return np.array(found), np.array([(one.value, one.low, one.high) for one in intervals])


def shown(cell: Cell, studies: int, seed: int) -> dict[str, object]:
    began = time.perf_counter()
    made = [study(cell, np.random.default_rng([seed, number])) for number in range(studies)]
    p, intervals = (np.stack(each) for each in zip(*made, strict=True))
    share = (p < 0.05).mean(axis=0)
    truth = intervals[:, :, 0].mean(axis=0)  # mean area of models fitted to so many cases
    held = ((intervals[:, :, 1] <= truth) & (truth <= intervals[:, :, 2])).mean(axis=0)
    tests = "  ".join(" ".join(f"{100 * one:5.1f}" for one in row) for row in share)
    print(
        f"{cell!s:38} {cell.columns:3}  {tests}   {100 * held[0]:5.1f} {100 * held[1]:5.1f}  "
        f"{studies:5} {time.perf_counter() - began:5.0f} s",
        flush=True,
    )
    return {
        "cell": str(cell),
        "columns": cell.columns,
        "studies": studies,
        "significant": {
            test: dict(zip(WAYS, row.tolist(), strict=True))
            for test, row in zip(TESTS, share, strict=True)
        },
        "mean area": {"0.7": float(truth[0]), "0.9": float(truth[1])},
        "interval holds it": {"0.7": float(held[0]), "0.9": float(held[1])},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="rows whose words hold this")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    print("significant at 5 %, % of studies (phantom): rule, plain, pooled; intervals that hold, %")
    print(f"{'':38} {'':3}  " + "  ".join(f"{test:^17}" for test in TESTS) + "     0.7   0.9")
    rows = []
    for cell in cells():
        if asked.only in str(cell):
            studies = max(1, round(asked.studies * LEARNERS[cell.learner][1]))
            rows.append(shown(cell, studies, asked.seed))
    if asked.json:
        settings = {"studies": asked.studies, "seed": asked.seed}
        asked.json.write_text(json.dumps({**settings, "rows": rows}, indent=2) + "\n")
    worst = max(row["significant"][test]["rule"] for row in rows for test in NULL)
    print(f"largest share of false findings by the rule: {100 * worst:.1f} %")
    return 0 if worst <= AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
