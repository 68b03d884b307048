"""Alternative free-response figures of merit: lesions against the worst false mark of a case."""

from __future__ import annotations

from typing import Literal

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.stats.bootstrap import DEFAULT, Resampling, bootstrap_weighted
from onkos.stats.marks import Marks
from onkos.stats.midranks import SortedGroups
from onkos.stats.resampling import Multiplicities, Statistic

FreeResponseFigure = Literal["AFROC", "AFROC1", "wAFROC", "wAFROC1", "HR-AUC"]
FIGURES: tuple[FreeResponseFigure, ...] = ("AFROC", "AFROC1", "wAFROC", "wAFROC1", "HR-AUC")


def afroc(
    marks: Marks,
    figure: FreeResponseFigure,
    *,
    rng: np.random.Generator,
    plan: Resampling = DEFAULT,
) -> Estimate:
    """Estimate an alternative free-response figure of merit, resampling patients.

    The chance that a lesion is rated above the highest false mark of a case, ties one half; a
    lesion or a case without a mark is rated minus infinity. The cases are those without
    lesions (``"AFROC"``, ``"wAFROC"``) or all (``"AFROC1"``, ``"wAFROC1"``). Each lesion counts
    alike, or (w) each case with lesions does and its lesions share that by their weights.
    ``"HR-AUC"`` compares the highest mark of any kind on cases with and without lesions: the
    area under the ROC curve inferred from free-response marks.

    Raises
    ------
    ContentError
        If no case has a lesion, or the figure needs cases without lesions and there are none.

    References
    ----------
    Chakraborty DP, Zhai X. On the meaning of the weighted alternative free-response operating
    characteristic figure of merit. Med Phys 2016;43:2548-2557. doi:10.1118/1.4947125
    """
    found = bootstrap_weighted(
        figure_of_merit(marks, figure),
        clusters=marks.clusters,
        rng=rng,
        plan=plan,
        what=figure,
    )
    return marks.told(found)


def figure_of_merit(marks: Marks, figure: FreeResponseFigure) -> Statistic:
    """Figure of merit of :func:`afroc` as a function of how often each case counts.

    It takes multiplicities (resamples, cases) and gives one value a resample, NaN where a
    resample lacks one class: what bootstraps and jackknives of reader studies evaluate.

    Raises
    ------
    ContentError
        As :func:`afroc`.
    """
    marks.require_lesions(doing=figure)
    count = len(marks.cases)
    normal = marks.lesions_per_case == 0
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, marks.false_case, marks.false_score)
    rivals = np.arange(count) if figure.endswith("1") else np.flatnonzero(normal)
    if not rivals.size:
        raise ContentError(
            f"{figure}: every case has a lesion; expected cases without, or ask for AFROC1"
        )
    if figure == "HR-AUC":
        targets, weights = np.flatnonzero(~normal), np.ones(int((~normal).sum()))
        any_mark = highest.copy()
        np.maximum.at(any_mark, marks.lesion_case, marks.lesion_score)
        ratings = any_mark[targets]
    else:
        targets, ratings = marks.lesion_case, marks.lesion_score
        weights = np.ones(len(targets))
        if figure.startswith("w"):
            totals = np.bincount(targets, weights=marks.lesion_weight, minlength=count)
            weights = marks.lesion_weight / totals[targets]
    ordered = SortedGroups.of(
        (highest[rivals], np.ones(len(rivals)), rivals), (ratings, weights, targets)
    )

    def merit(multiplicities: Multiplicities) -> FloatArray:
        wins, below, total = ordered.wins(multiplicities).T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where((below > 0) & (total > 0), wins / (below * total), np.nan))

    return merit
