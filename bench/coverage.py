"""How often nominal 95 % intervals hold the truth, on simulated studies whose truth is known.

Run as ``python bench/coverage.py [--studies 2000] [--resamples 1000] [--json FILE]``. Ends with
exit code 1 if a study of the first part lies outside 93-97 %. The second part shows hard
situations (few patients, rare misses, exact intervals), of which nothing is required. All
studies are simulated (phantom).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from onkos.core.estimate import Estimate
from onkos.core.method import Method

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from simulated_studies import HARD, STUDIES, Study, covered

LOW, HIGH = 0.93, 0.97


def concordance_studies() -> dict[str, Study]:
    """Harrell's and Uno's C of exponential times, where the survival room is there."""
    if find_spec("onkos.stats.survival") is None:
        print("C-index left out: onkos.stats.survival is not there yet")
        return {}
    from onkos.stats.survival.concordance import Harrell, Uno, concordance
    from onkos.stats.survival.followup import FollowUp

    def patients(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        risk = rng.normal(size=n)
        time = rng.exponential(size=n) * np.exp(-risk)
        free = rng.uniform(0, 4, size=n)
        return risk, np.minimum(time, free), time <= free

    def truth(events_before: float, censored: bool) -> float:
        """Chance of concordance over four million pairs of patients."""
        rng = np.random.default_rng(1)
        risk = rng.normal(size=(2, 4_000_000))
        time = rng.exponential(size=risk.shape) * np.exp(-risk)
        free = rng.uniform(0, 4, size=risk.shape) if censored else np.full(risk.shape, math.inf)
        seen = np.minimum(time, free)
        first = np.argmin(seen, axis=0)
        column = np.arange(risk.shape[1])
        usable = (time <= free)[first, column] & (seen[first, column] < events_before)
        right = risk[first, column] > risk[1 - first, column]
        return float(right[usable].mean())

    def study(kind: Harrell | Uno, true: float) -> Study:
        def one(rng: np.random.Generator, plan: object) -> tuple[object, float]:
            risk, time, event = patients(rng, 100)
            follow = FollowUp(time=time, event=event)
            return concordance(follow, risk, kind=kind, rng=rng, plan=plan), true

        return one

    return {
        "C, Harrell, 100 patients": study(Harrell(), truth(math.inf, censored=True)),
        "C, Uno to tau 2, 100 patients": study(Uno(tau=2.0), truth(2.0, censored=False)),
    }


def reader_studies() -> dict[str, Study]:
    """Obuchowski-Rockette difference of two equal modalities, five readers, 50 + 50 cases.

    Ratings by a model like that of Roe and Metz (Acad Radiol 1997;4:298-303): variances 0.011
    (reader), 0.03 (modality by reader), 0.3 (case), 0.3 (modality by case), 0.2 (reader by
    case) and 0.2 (the rest).
    """
    if find_spec("onkos.stats.readers") is None:
        print("reader studies left out: onkos.stats.readers is not there yet")
        return {}
    from onkos.stats.readers.covariance import delong
    from onkos.stats.readers.foms import WILCOXON
    from onkos.stats.readers.obuchowski_rockette import analyse
    from onkos.stats.readers.ratings import ReaderStudy

    def one(rng: np.random.Generator, _plan: object) -> tuple[Estimate, float]:
        truth = np.repeat([True, False], 50)

        def effect(variance: float, *shape: int) -> np.ndarray:
            return math.sqrt(variance) * rng.normal(size=shape)

        of_reader = np.where(truth, effect(0.011, 5, 1, 1), effect(0.011, 5, 1, 1))
        of_both = np.where(truth, effect(0.03, 5, 2, 1), effect(0.03, 5, 2, 1))
        of_case = effect(0.3, 1, 1, 100) + effect(0.3, 1, 2, 100) + effect(0.2, 5, 1, 100)
        study = ReaderStudy(
            kind="ROC",
            readers=tuple("12345"),
            modalities=("a", "b"),
            cases=tuple(map(str, range(100))),
            truth=truth,
            highest=1.5 * truth + of_reader + of_both + of_case + effect(0.2, 5, 2, 100),
        )
        (test,) = analyse(study, delong(study, WILCOXON), factors="RRRC").pairs
        found = Estimate(
            value=test.difference, low=test.low, high=test.high, n=100, method=Method(what="OR")
        )
        return found, 0.0

    return {"AUC difference of readers, Obuchowski-Rockette": one}


def shown(name: str, study: Study, asked: argparse.Namespace) -> dict[str, float]:
    began = time.perf_counter()
    found = covered(study, studies=asked.studies, seed=asked.seed, resamples=asked.resamples)
    inside = LOW <= found.share <= HIGH
    print(
        f"{name:47} {100 * found.share:6.1f} % {found.below:6} {found.above:6} "
        f"{time.perf_counter() - began:7.0f} s  {'' if inside else 'outside 93-97 %'}",
        flush=True,
    )
    return {"held": found.share, "below": found.below, "above": found.above}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="studies whose name holds this")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Study]]] = {
        "must hold 93-97 %": lambda: {**STUDIES, **concordance_studies(), **reader_studies()},
        "hard situations, shown only": lambda: HARD,
    }
    figures = {}
    for part, studies in parts.items():
        print(f"\n{part} ({asked.studies} studies each, phantom)")
        print(f"{'':47} {'held':>8} {'below':>6} {'above':>6} {'time':>9}")
        chosen = {name: one for name, one in studies().items() if asked.only in name}
        figures[part] = {name: shown(name, one, asked) for name, one in chosen.items()}
    if asked.json:
        settings = {"studies": asked.studies, "resamples": asked.resamples, "seed": asked.seed}
        asked.json.write_text(json.dumps({**settings, "coverage": figures}, indent=2) + "\n")
    held = [each["held"] for each in figures["must hold 93-97 %"].values()]
    return 0 if all(LOW <= share <= HIGH for share in held) else 1


if __name__ == "__main__":
    sys.exit(main())
