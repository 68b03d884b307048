"""The statistics beside their peers, in one run: surfaces, AUC by bootstrap, DeLong, MRMC.

Run as ``python bench/stats.py [--data DIR] [--part NAME ...] [--json FILE]``. Each contender runs
in a process of its own, best of ``--repeats``; imports, compilation and the making of the data are
not counted. All data but VIPER's are simulated (phantom).

``surfaces``
    The ``lesion`` and ``liver`` phantoms of ``bench/surfaces.py`` on 512 x 512 x 200 voxels.
``auc``
    AUC with its interval from 10,000 bootstrap resamples of 10,000 cases. Ours is BCa, once with
    one thread and once with two; against a loop over scikit-learn's ``roc_auc_score`` on resamples
    drawn class by class, of which 200 are done and the time taken times 50.
``delong``
    DeLong's paired test of two scores of 1,000, 10,000 and 100,000 cases against MLstatkit (in an
    environment of its own, ``bench/peers.py delong``). The two p-values must agree to 1e-9.
``mrmc``
    U-statistics of VIPER's 11,680 readings, as ``bench/mrmc.py``; without the data left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import build
from timing import measured, report, row

DATA = Path(os.environ.get("ONKOS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CASES, RESAMPLES, DONE = 10_000, 10_000, 200
DELONG_CASES, ROUNDS = (1_000, 10_000, 100_000), 20
AGREE = 1e-9


def scores(cases: int) -> tuple[Any, Any]:
    """Phantom: truth, and two correlated scores a case."""
    import numpy as np

    rng = np.random.default_rng(cases)
    truth = rng.uniform(size=cases) < 0.3
    shared = rng.normal(size=cases)
    return truth, 0.8 * shared + 0.6 * rng.normal(size=(2, cases)) + truth


def onkos_auc(threads: str) -> dict[str, Any]:
    import numpy as np

    from onkos.stats.bootstrap import Resampling
    from onkos.stats.roc import bootstrap_auc

    truth, (first, _) = scores(CASES)
    small = Resampling(resamples=100, threads=int(threads))
    bootstrap_auc(truth[:50], first[:50], rng=np.random.default_rng(0), plan=small)
    plan = Resampling(resamples=RESAMPLES, threads=int(threads))

    def work() -> dict[str, Any]:
        found = bootstrap_auc(truth, first, rng=np.random.default_rng(0), plan=plan)
        return {"value": found.value, "low": found.low, "high": found.high}

    return {"work": work}


def sklearn_auc(_: str) -> dict[str, Any]:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    truth, (first, _) = scores(CASES)
    classes = [np.flatnonzero(truth == which) for which in (True, False)]
    roc_auc_score(truth, first)

    def work() -> dict[str, Any]:
        rng = np.random.default_rng(0)
        drawn = []
        for _ in range(DONE):
            these = np.concatenate([rng.choice(one, size=one.size) for one in classes])
            drawn.append(roc_auc_score(truth[these], first[these]))
        low, high = np.percentile(drawn, [2.5, 97.5])
        return {"value": float(roc_auc_score(truth, first)), "low": low, "high": high}

    return {"work": work, "times": RESAMPLES / DONE}


def onkos_delong(cases: str) -> dict[str, Any]:
    from onkos.stats.delong import paired_test

    truth, (first, second) = scores(int(cases))

    def work() -> dict[str, Any]:
        for _ in range(ROUNDS):
            found = paired_test(truth, first, second)
        return {"p": found.p}

    return {"work": work, "times": 1 / ROUNDS}


def mlstatkit_delong(cases: str) -> dict[str, Any]:
    from MLstatkit import Delong_test

    truth, (first, second) = scores(int(cases))

    def work() -> dict[str, Any]:
        for _ in range(ROUNDS):
            _z, p = Delong_test(truth.astype(int), first, second, return_ci=False, return_auc=False)
        return {"p": float(p)}

    return {"work": work, "times": 1 / ROUNDS}


def onkos_mrmc(folder: str) -> dict[str, Any]:
    from mrmc import by_u_statistics, viper

    studies = viper(Path(folder))
    readings = sum(int(study["score"].read.sum()) for study in studies)
    by_u_statistics(studies)

    def work() -> dict[str, Any]:
        by_u_statistics(studies)
        return {"readings": readings}

    return {"work": work}


CONTENDERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "onkos auc": onkos_auc,
    "sklearn auc": sklearn_auc,
    "onkos delong": onkos_delong,
    "mlstatkit": mlstatkit_delong,
    "onkos mrmc": onkos_mrmc,
}


def once(name: str, word: str) -> None:
    """Prepare one contender and measure it; ``times`` scales what was done to what is asked."""
    ready = CONTENDERS[name](word)
    work, times = ready["work"], ready.get("times", 1.0)
    report(lambda: {**work(), "times": times})


def timed(name: str, word: str, asked: argparse.Namespace, **options: Any) -> dict[str, Any]:
    """Figures of one contender, seconds scaled."""
    figures = measured(__file__, name, word, repeats=asked.repeats, **options)
    times = figures.pop("times")
    return {
        **figures,
        "seconds": figures["seconds"] * times,
        "cpu_seconds": figures["cpu_seconds"] * times,
        "scaled_by": times,
    }


def surfaces(asked: argparse.Namespace) -> dict[str, Any]:
    from surfaces import compared

    return {case: compared(case, asked.repeats) for case in ("lesion", "liver")}


def auc(asked: argparse.Namespace) -> dict[str, Any]:
    print(f"AUC, {RESAMPLES} resamples of {CASES} cases (phantom)")
    found = {
        "1 thread": timed("onkos auc", "1", asked),
        "2 threads": timed("onkos auc", "2", asked),
        "scikit-learn": timed("sklearn auc", "-", asked),
    }
    peer = found["scikit-learn"]
    for name, figures in found.items():
        ratios = {key: peer[key] / figures[key] for key in ("seconds", "cpu_seconds")}
        figures |= {"ratio": ratios["seconds"], "cpu_ratio": ratios["cpu_seconds"]}
        value, low, high = (figures[key] for key in ("value", "low", "high"))
        told = f"{value:.4f} ({low:.4f}-{high:.4f})"
        told += f"; {DONE} done, time x {figures['scaled_by']:.0f}" if figures is peer else ""
        print(row(name, figures, f"{ratios['seconds']:6.1f} x  {told}"))
    return found


def delong(asked: argparse.Namespace) -> dict[str, Any]:
    peer = build("delong")
    found = {}
    for cases in DELONG_CASES:
        ours = timed("onkos delong", str(cases), asked)
        theirs = timed("mlstatkit", str(cases), asked, python=peer)
        if abs(ours["p"] - theirs["p"]) > AGREE:
            sys.exit(f"{cases} cases: p {ours['p']} here, {theirs['p']} by MLstatkit")
        ratio = theirs["seconds"] / ours["seconds"]
        found[cases] = {"onkos": ours, "mlstatkit": theirs, "ratio": ratio}
        print(
            f"paired DeLong, {cases:6} cases: {1e3 * ours['seconds']:8.2f} ms, MLstatkit "
            f"{1e3 * theirs['seconds']:8.2f} ms, {ratio:5.1f} x, p = {ours['p']:.3g} in both"
        )
    return found


def mrmc(asked: argparse.Namespace) -> dict[str, Any]:
    if not (asked.data / "reader-studies-mrmc").is_dir():
        print(f"MRMC left out: no reader-studies-mrmc in {asked.data}; name its folder by --data")
        return {}
    found = timed("onkos mrmc", str(asked.data), asked)
    print(row("VIPER, U", found, f"{found['readings']} readings"))
    return found


PARTS = {"surfaces": surfaces, "auc": auc, "delong": delong, "mrmc": mrmc}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real data")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--once", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        once(*asked.once)
        return
    for variable in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    found = {name: PARTS[name](asked) for name in asked.part}
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
