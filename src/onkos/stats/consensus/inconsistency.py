"""Cases to review: those readers disagree on, and those whose label a model contradicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onkos.core.errors import CohortError, ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.agreement.chance import Weights
from onkos.stats.agreement.ratings import MISSING, Ratings
from onkos.stats.agreement.weights import agreement_weights
from onkos.stats.bootstrap import bootstrap_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """A case that deserves a second look.

    Parameters
    ----------
    rank
        From 1, the most doubtful.
    case
        Its name.
    score
        What it was ranked by; a place in a row, not a probability of error.
    given
        The labels it has.
    reason
        Why, in words.
    """

    rank: int
    case: Hashable
    score: float
    given: tuple[Any, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspiciousLabels:
    """Labels that a model, fitted without these cases, confidently contradicts.

    Parameters
    ----------
    cases
        Ranked, the most doubtful first.
    share
        Share of all labels that are suspicious, by patient; not the share that is wrong.
    counted
        (given, suggested): labels by what they are and what the model confidently says.
    classes
        Rows and columns of ``counted``.
    """

    cases: tuple[LookAgain, ...]
    share: Estimate
    counted: NDArray[np.intp]
    classes: tuple[Any, ...]


def disagreements(
    ratings: Ratings, *, cases: Sequence[Hashable], weights: Weights | None = None
) -> tuple[LookAgain, ...]:
    """Rank cases by how far their readers disagree; cases in full agreement are left out.

    Parameters
    ----------
    ratings
        Cases by readers; cases with one rating cannot disagree.
    cases
        Name of each row of the input.
    weights
        None: Shannon's entropy of the votes, in bits. With weights: the mean disagreement of
        two ratings drawn from the votes (Rao's quadratic entropy), so that 1 against 5 ranks
        above 1 against 2.

    Raises
    ------
    CohortError
        If a name stands for two rows.
    ContentError
        If the names do not fit the rows, or readers are not told apart.

    References
    ----------
    Rao CR. Diversity and dissimilarity coefficients. Theor Popul Biol 1982;21:24-43.
    doi:10.1016/0040-5809(82)90004-1
    """
    _require_names(cases, int(ratings.rows.max(initial=-1)) + 1)
    if ratings.codes is None or (ratings.frequency != 1).any():
        raise ContentError("expected ratings by case and reader; counts do not name cases")
    total = ratings.counts.sum(axis=1, keepdims=True)
    share = ratings.counts / total
    if weights is None:
        with np.errstate(divide="ignore"):
            logs = np.where(share > 0, np.log2(np.where(share > 0, share, 1)), 0.0)
        score = -np.sum(share * logs, axis=1)
        name = "entropy of the votes {:.2f} bit"
    else:
        matrix = agreement_weights(ratings.categories, weights)
        score = 1 - np.einsum("ik,kl,il->i", share, matrix, share)
        name = "mean disagreement of the votes {:.2f}"
    doubtful = np.flatnonzero(score > 1e-12)
    order = doubtful[np.argsort(-score[doubtful], kind="stable")]
    found = []
    for rank, row in enumerate(order, start=1):
        codes = ratings.codes[row]
        given = tuple(ratings.categories[code] for code in codes if code != MISSING)
        found.append(
            LookAgain(
                rank=rank,
                case=cases[int(ratings.rows[row])],
                score=float(score[row]),
                given=given,
                reason=f"{_votes(given)}; {name.format(float(score[row]))}",
            )
        )
    return tuple(found)


def suspicious_labels(
    labels: Sequence[Any],
    probabilities: ArrayLike,
    *,
    classes: Sequence[Any],
    cases: Sequence[Hashable],
    patients: Sequence[Hashable] | None = None,
    rng: np.random.Generator,
) -> SuspiciousLabels:
    """Rank labels that cross-validated predictions contradict with confidence.

    A class is a candidate for a case when its probability reaches its mean among the cases
    with that label, so that classes to which a model gives low probabilities are not all called
    wrong. A label is suspicious when the likeliest candidate is another class.

    Parameters
    ----------
    labels
        Class of each case.
    probabilities
        (cases, classes), each from a model that has not seen the patient: predictions on
        training cases hide the very errors that are looked for.
    classes
        Class of each column.
    cases
        Name of each case.
    patients
        Patient of each case; every case its own if not given.
    rng
        Source of the resamples for the share.

    Raises
    ------
    CohortError
        If a name stands for two cases.
    ContentError
        If shapes do not fit, a probability is not one, or a class has no case.

    References
    ----------
    Northcutt C, Jiang L, Chuang I. Confident learning: estimating uncertainty in dataset labels.
    J Artif Intell Res 2021;70:1373-1411. doi:10.1613/jair.1.12125
    """
    p, given = _checked(labels, probabilities, classes, cases)
    n = len(p)
    threshold = np.array([p[given == k, k].mean() for k in range(len(classes))])
    believed = np.where(p >= threshold - 1e-12, p, -np.inf)
    suggested = np.where(np.isfinite(believed).any(axis=1), believed.argmax(axis=1), given)
    counted = np.zeros((len(classes), len(classes)), dtype=np.intp)
    np.add.at(counted, (given, suggested), 1)
    everyone = np.arange(n)
    margin = p[everyone, suggested] - p[everyone, given]
    wrong = np.flatnonzero((suggested != given) & (margin > 0))
    order = wrong[np.argsort(-margin[wrong], kind="stable")]
    flags = np.zeros(n)
    flags[wrong] = 1
    groups = list(range(n)) if patients is None else patients
    found = tuple(
        LookAgain(
            rank=rank,
            case=cases[int(row)],
            score=float(margin[row]),
            given=(classes[given[row]],),
            reason=_words(row, given, suggested, p, threshold, classes),
        )
        for rank, row in enumerate(order, start=1)
    )
    share = bootstrap_mean(flags, groups=groups, rng=rng)
    return SuspiciousLabels(cases=found, share=share, counted=counted, classes=tuple(classes))


def _checked(
    labels: Sequence[Any],
    probabilities: ArrayLike,
    classes: Sequence[Any],
    cases: Sequence[Hashable],
) -> tuple[FloatArray, NDArray[np.intp]]:
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape != (len(labels), len(classes)) or len(classes) < 2:
        raise ContentError(
            f"probabilities of shape {p.shape} for {len(labels)} labels of {len(classes)} classes"
        )
    _require_names(cases, len(labels))
    if not np.isfinite(p).all() or p.min(initial=0) < 0 or p.max(initial=0) > 1 + 1e-9:
        raise ContentError("probabilities: expected numbers from 0 to 1, none missing")
    number = {name: index for index, name in enumerate(classes)}
    strangers = sorted({str(label) for label in labels if label not in number})
    absent = [name for name in classes if name not in set(labels)]
    if strangers or absent:
        raise ContentError(
            f"labels {strangers[:5]} are not among the classes, classes {absent[:5]} have no case; "
            "expected every class to occur and no other"
        )
    return p, np.array([number[label] for label in labels], dtype=np.intp)


def _require_names(cases: Sequence[Hashable], n: int) -> None:
    twice = [case for case, count in Counter(cases).items() if count > 1]
    if twice:
        raise CohortError(f"cases {twice[:5]} occur twice; expected each once")
    if len(cases) < n:
        raise ContentError(f"{len(cases)} names for {n} cases; expected one each")


def _votes(given: Sequence[Any]) -> str:
    counted = Counter(given).most_common()
    told = ", ".join(f"{number} of {len(given)} say {label}" for label, number in counted)
    return f"readers disagree: {told}"


def _words(
    row: int,
    given: NDArray[np.intp],
    suggested: NDArray[np.intp],
    p: FloatArray,
    threshold: FloatArray,
    classes: Sequence[Any],
) -> str:
    own, other = int(given[row]), int(suggested[row])
    return (
        f"labelled {classes[own]} (probability {p[row, own]:.2f}), but a model that has not seen "
        f"it says {classes[other]} with {p[row, other]:.2f}; cases labelled {classes[other]} get "
        f"{threshold[other]:.2f} on average"
    )
