"""Published and package-verified values of survival analysis."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onkos.stats.intervals import Resampling
from onkos.stats.survival.concordance import Harrell, Uno, concordance, pairs
from onkos.stats.survival.cox import CoxFit, CoxOptions, cox
from onkos.stats.survival.dynamic import brier, dynamic_auc
from onkos.stats.survival.followup import FollowUp
from onkos.stats.survival.horizons import Horizons
from onkos.stats.survival.kaplan_meier import kaplan_meier, nelson_aalen
from onkos.stats.survival.logrank import LogRank, logrank
from onkos.stats.survival.partial import Sorted, partial_likelihood
from onkos.stats.survival.power import TwoArmStudy

Row = tuple[str, float, float, float]

GENERATED = 1e-6
EXACT = 1e-7
BRESLOW = 6e-9
FEW = Resampling(resamples=100, interval="percentile", threads=1)
ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
YEARS = [365.0, 730.0, 1095.0, 1460.0, 1825.0]


def half_a_digit(printed: float) -> float:
    """Half a unit of the last digit of a number as it was printed."""
    decimals = len(repr(printed).partition(".")[2])
    return 0.5000001 * 10**-decimals


class Table:
    """A CSV file by column."""

    def __init__(self, path: Path, names: list[str] | None = None) -> None:
        with path.open() as file:
            lines = list(csv.reader(file))
        names = lines.pop(0) if names is None else names
        self.columns = dict(zip(names, zip(*lines, strict=True), strict=True))

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self.columns[name], dtype=float)

    def equal(self, name: str, value: str) -> np.ndarray:
        return np.array([item == value for item in self.columns[name]], dtype=float)

    def follow(self, time: str, event: str) -> FollowUp:
        return FollowUp(time=self[time], event=self[event])

    def matrix(self, names: list[str]) -> np.ndarray:
        """Columns by name; ``sex=male`` is 1 where the column says male."""
        return np.column_stack(
            [self.equal(*name.split("=")) if "=" in name else self[name] for name in names]
        )


@pytest.mark.data
def test_survival_reproduces_every_published_value(data_dir):
    found = rows(data_dir)
    assert len(found) == 352
    off = [row for row in found if not abs(row[1] - row[2]) <= row[3]]
    assert off == []


def rows(data_dir: Path) -> list[Row]:
    """Name, our value, the published one, and the tolerance."""
    folder = data_dir / "golden-statistics"
    golden = json.loads((folder / "survival.json").read_text())
    rossi = Table(folder / "inputs" / "rossi.csv")
    veteran = Table(folder / "inputs" / "veteran.csv")
    gbsg2 = Table(folder / "inputs" / "gbsg2.csv")
    whas = Table(folder / "inputs" / "whas500_predictions.csv", ["event", "time", "risk"])
    return [
        *_rossi_published(golden["rossi"], rossi),
        *_rossi_ties_and_strata(golden["rossi"], rossi),
        *_rossi_lifelines(golden["rossi"]["generated_lifelines"], rossi),
        *_rossi_curves(golden["rossi"]["generated_lifelines"], rossi),
        *_veteran(golden["veteran"], veteran),
        *_nottingham(golden["gbsg2"], gbsg2),
        *_whas(golden["whas500"], whas),
        *_toys(golden),
        *_generated(
            golden["generated_scikit_survival"],
            {
                "rossi": (rossi, rossi.follow("week", "arrest")),
                "veteran": (veteran, veteran.follow("time", "status")),
                "gbsg2": (gbsg2, gbsg2.follow("time", "cens")),
            },
            golden["gbsg2"]["brier_cox_efron_1825"],
        ),
    ]


def _each(name: str, ours: Any, theirs: Any, tolerance: float | None = None) -> Iterator[Row]:
    """One row a number; without a tolerance half a unit of the last printed digit."""
    for k, (a, b) in enumerate(zip(np.ravel(ours), np.ravel(theirs), strict=True)):
        within = half_a_digit(float(b)) if tolerance is None else tolerance
        yield f"{name} [{k}]", float(a), float(b), within


def _rossi(
    table: Table, names: list[str], strata: list[str] | None = None, **options: Any
) -> CoxFit:
    layers = None if strata is None else list(zip(*(table.columns[s] for s in strata), strict=True))
    return cox(
        table.follow("week", "arrest"),
        table.matrix(names),
        names=names,
        strata=layers,
        options=CoxOptions(**options),
    )


def _rossi_published(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    published, own = golden["published"], golden["own"]
    for ties, tolerance in (("breslow", BRESLOW), ("efron", EXACT)):
        fit, known = _rossi(table, ROSSI, ties=ties), published[f"cox_{ties}"]
        yield from _each(
            f"rossi {ties}", fit.coefficients, [known[name] for name in ROSSI], tolerance
        )
        likelihood = known["log_likelihood"]
        yield f"rossi {ties} log L", fit.log_likelihood, likelihood, half_a_digit(likelihood)
        yield from _each(f"rossi {ties} own", fit.coefficients, own[ties]["coef"], 1e-8)
        yield from _each(f"rossi {ties} own se", fit.standard_errors, own[ties]["se"], 1e-8)
        yield f"rossi {ties} own log L", fit.log_likelihood, own[ties]["log_likelihood"], 1e-8
    known = published["cox_efron"]
    yield from _each("rossi efron se", fit.standard_errors, known["se"])
    yield from _each("rossi efron z", fit.coefficients / fit.standard_errors, known["z"])
    yield "rossi efron LR", fit.likelihood_ratio[0], known["lr_test"], half_a_digit(33.27)
    for key, ridge in (("1", 1.0), ("19p67", 19.67)):
        fit = _rossi(table, ROSSI, ties="breslow", ridge=ridge)
        yield from _each(
            f"rossi ridge {ridge}", fit.coefficients, published[f"ridge_breslow_theta_{key}"], EXACT
        )


def _rossi_ties_and_strata(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    published = golden["published"]
    names = [name for name in ROSSI if name != "race"]
    fit = _rossi(table, names, ["race"])
    yield from _each("rossi strata race", fit.coefficients, published["efron_strata_race"])
    known = published["efron_strata_race_paro_mar_wexp"]
    few = ["fin", "age", "prio"]
    fit = _rossi(table, few, ["race", "paro", "mar", "wexp"])
    yield from _each("rossi four strata", fit.coefficients, [known[name] for name in few])
    yield "rossi four strata log L", fit.log_likelihood, known["log_likelihood"], 5e-5
    names = [name for name in ROSSI if name != "wexp"]
    fit = _rossi(table, names, ["wexp"])
    counted = pairs(
        table.follow("week", "arrest"), fit.risk(table.matrix(names)), strata=table.columns["wexp"]
    )
    c = (counted.concordant + counted.tied_risk / 2) / counted.comparable
    yield "rossi C in strata of wexp", c, published["concordance_strata_wexp"], EXACT
    known = published["logrank_race"]
    test = logrank(table.follow("week", "arrest"), groups=table["race"].tolist())
    yield from _logrank("rossi race", test, known)
    yield from _each("rossi race observed", test.observed, known["observed"], EXACT)
    yield from _each("rossi race expected", test.expected, known["expected"], EXACT)
    yield "rossi race variance", float(test.covariance[0, 0]), known["variance"], EXACT


def _logrank(name: str, test: LogRank, known: dict[str, float]) -> Iterator[Row]:
    yield f"{name} log-rank", test.statistic, known["chisq"], EXACT
    yield f"{name} log-rank p", test.p, known["p"], EXACT


def _rossi_lifelines(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    follow = table.follow("week", "arrest")
    fit, known = _rossi(table, ROSSI), golden["rossi_cox_efron"]
    assert known["columns"] == ROSSI
    yield from _each("lifelines efron", fit.coefficients, known["coef"], GENERATED)
    yield from _each("lifelines efron se", fit.standard_errors, known["se"], GENERATED)
    yield from _each("lifelines efron p", fit.p, known["p"], GENERATED)
    yield "lifelines efron log L", fit.log_likelihood, known["log_likelihood"], GENERATED
    yield "lifelines efron LR", fit.likelihood_ratio[0], known["lr_test"], GENERATED
    yield "lifelines efron LR p", fit.likelihood_ratio[1], known["lr_p"], GENERATED
    counted = pairs(follow, fit.risk(table.matrix(ROSSI)))
    c = (counted.concordant + counted.tied_risk / 2) / counted.comparable
    yield "lifelines efron C", c, known["concordance"], GENERATED
    yield from _each(
        "lifelines robust se (ties broken, events last)",
        _robust_with_broken_ties(follow, table.matrix(ROSSI), fit),
        golden["rossi_cox_efron_robust_se"],
        GENERATED,
    )
    known = golden["rossi_cox_efron_strata_race"]
    fit = _rossi(table, known["columns"], ["race"])
    yield from _each("lifelines strata", fit.coefficients, known["coef"], GENERATED)
    yield from _each("lifelines strata se", fit.standard_errors, known["se"], GENERATED)
    yield "lifelines strata log L", fit.log_likelihood, known["log_likelihood"], GENERATED


def _robust_with_broken_ties(follow: FollowUp, x: np.ndarray, fit: CoxFit) -> np.ndarray:
    """Standard errors as lifelines makes them: score residuals as if no times were tied.

    Efron's coefficients, but residuals of patients in order of time, then censored before
    events. Ours (``CoxOptions(robust=True)``) keep the ties, and agree with the jackknife.
    """
    order = np.lexsort((follow.event, follow.time))
    time = np.empty(follow.n)
    time[order] = np.arange(follow.n)
    apart = Sorted.of(
        FollowUp(time=time, event=follow.event), x, np.zeros(follow.n, dtype=np.intp), "efron"
    )
    moved = partial_likelihood(apart, fit.coefficients).residuals @ fit.covariance
    return np.sqrt((moved**2).sum(axis=0))


def _rossi_curves(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    follow = table.follow("week", "arrest")
    for weighting in ("log-rank", "wilcoxon", "tarone-ware", "peto"):
        test = logrank(follow, groups=table["fin"].tolist(), weighting=weighting)
        known = golden[f"rossi_{weighting.replace('log-rank', 'logrank')}_fin"]
        yield from _logrank(f"rossi fin {weighting}", test, known)
    known, curve = golden["rossi_km"], kaplan_meier(follow)
    at = [curve.at(time) for time in known["times"]]
    yield from _each("rossi KM", [found.value for found in at], known["survival"], GENERATED)
    ends = [(found.low, found.high) for found in at]
    yield from _each("rossi KM interval", ends, known["ci_log_log"], GENERATED)
    # the values are sums of d / n, whatever the file's note says of tied events
    known, curve = golden["rossi_nelson_aalen"], nelson_aalen(follow)
    hazard = [curve.at(time).value for time in known["times"]]
    yield from _each("rossi Nelson-Aalen", hazard, known["cumhaz"], GENERATED)


def _veteran(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    known = golden["published"]["logrank_celltype"]
    test = logrank(table.follow("time", "status"), groups=table.columns["Celltype"])
    names = [name.replace("adenocarcinoma", "adeno") for name in test.groups]
    assert names == known["groups"]
    yield from _logrank("veteran", test, known)
    yield from _each("veteran observed", test.observed, known["observed"], EXACT)
    yield from _each("veteran expected", test.expected, known["expected"], EXACT)


def _nottingham(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    """Groups of the Nottingham prognostic index, each foretold its own Kaplan-Meier curve."""
    follow = table.follow("time", "cens")
    grade = sum(k * table.equal("tgrade", name) for k, name in ((1, "I"), (2, "II"), (3, "III")))
    index = 0.2 * table["tsize"] / 10 + 1 + grade
    group = (index >= 3.4).astype(int) + (index > 5.4)  # the middle group holds both its ends
    curves = {k: kaplan_meier(follow.where(group == k)) for k in np.unique(group)}

    def score(times: list[float]) -> tuple[list[float], float]:
        foretold = {k: [curve.at(time).value for time in times] for k, curve in curves.items()}
        found = brier(
            Horizons(follow=follow, times=tuple(times)),
            np.array([foretold[k] for k in group]),
            rng=np.random.default_rng(0),
            plan=FEW,
        )
        return [one.value for one in found.at], found.overall.value

    values, whole = score(YEARS)
    yield from _each("gbsg2 NPI Brier", values, golden["brier"]["values"], EXACT)
    yield "gbsg2 NPI IBS 1-5", whole, golden["ibs_years_1_5"], EXACT
    yield "gbsg2 NPI IBS 1-4", score(YEARS[:4])[1], golden["ibs_years_1_4"], EXACT
    daily = np.arange(1095.0, 1826.0).tolist()
    yield "gbsg2 NPI IBS daily", score(daily)[1], golden["ibs_daily_1095_1825"], EXACT


def _whas(golden: dict[str, Any], table: Table) -> Iterator[Row]:
    follow, known = table.follow("time", "event"), golden["harrell"]
    counted = pairs(follow, table["risk"])
    for name in ("concordant", "discordant", "tied_risk", "tied_time"):
        yield f"whas500 {name}", getattr(counted, name), known[name], 0
    yield "whas500 Harrell", _c(follow, table["risk"], Harrell()), known["c"], EXACT
    yield "whas500 Uno", _c(follow, table["risk"], Uno()), golden["uno_c"], EXACT


def _c(follow: FollowUp, risk: Any, kind: Harrell | Uno) -> float:
    return concordance(follow, risk, kind=kind, rng=np.random.default_rng(0), plan=FEW).value


def _toys(golden: dict[str, Any]) -> Iterator[Row]:
    for k, toy in enumerate(golden["uno_c_toys"]):
        censoring = None
        if "train_time" in toy:
            censoring = FollowUp(time=toy["train_time"], event=toy["train_event"])
        kind = Uno(tau=toy.get("tau"), censoring=censoring)
        follow = FollowUp(time=toy["time"], event=toy["event"])
        yield f"Uno toy {k + 1}", _c(follow, toy["risk"], kind), toy["c"], EXACT
    for k, toy in enumerate(golden["logrank_toys"]):
        test = logrank(FollowUp(time=toy["time"], event=toy["event"]), groups=toy["group"])
        yield from _logrank(f"toy {k + 1}", test, toy)
    for k, known in enumerate(golden["power_cox"]):
        study = TwoArmStudy(
            experimental=known["n_experimental"],
            control=known["n_control"],
            experimental_share=known["p_experimental"],
            control_share=known["p_control"],
            hazard_ratio=known["hazard_ratio"],
        )
        yield f"power {k + 1}", study.power, known["power"], EXACT


def _last_year(follow: FollowUp, fit: CoxFit, x: np.ndarray, golden: dict[str, float]) -> Row:
    found = brier(
        Horizons(follow=follow, times=(1825.0,)),
        fit.survival(x, [1825.0]),
        rng=np.random.default_rng(0),
        plan=FEW,
    )
    value = golden["value"]
    return "gbsg2 Cox Brier", found.overall.value, value, golden["relative_tolerance"] * value


def _generated(
    golden: dict[str, Any], tables: dict[str, tuple[Table, FollowUp]], published: dict[str, float]
) -> Iterator[Row]:
    for data, (table, follow) in tables.items():
        for ties in ("breslow", "efron"):
            known, name = golden[f"{data}_cox_{ties}"], f"sksurv {data} {ties}"
            x = _matrix(table, known["columns"])
            fit = cox(follow, x, names=known["columns"], options=CoxOptions(ties=ties))
            yield from _each(name, fit.coefficients, known["coef"], GENERATED)
            yield from _judged(name, known, follow, fit, x)
            if data == "gbsg2" and ties == "efron":
                yield _last_year(follow, fit, x, published)
    curve = kaplan_meier(tables["gbsg2"][1])
    for year, value in golden["gbsg2_km"].items():
        yield f"gbsg2 KM {year}", curve.at(float(year)).value, value, GENERATED
    test = logrank(tables["gbsg2"][1], groups=tables["gbsg2"][0].columns["horTh"])
    yield from _logrank("gbsg2 horTh", test, golden["gbsg2_logrank_horTh"])


def _matrix(table: Table, names: list[str]) -> np.ndarray:
    if "tgrade" not in names:
        return table.matrix(names)
    grade = np.array([len(item) for item in table.columns["tgrade"]], dtype=float)
    plain = [name for name in names if name != "tgrade"]
    return np.insert(table.matrix(plain), names.index("tgrade"), grade, axis=1)


def _judged(
    name: str, known: dict[str, Any], follow: FollowUp, fit: CoxFit, x: np.ndarray
) -> Iterator[Row]:
    """What the fitted model's risk and survival are worth."""
    risk = (x * fit.coefficients).sum(axis=1)
    counted = pairs(follow, risk)
    numbers = (counted.concordant, counted.discordant, counted.tied_risk, counted.tied_time)
    yield f"{name} C", _c(follow, risk, Harrell()), known["harrell_c"][0], GENERATED
    yield from _each(f"{name} pairs", numbers, known["harrell_c"][1:], 0)
    if "uno_c" in known:
        # all of Rossi's men who are still free leave at week 52: nothing is known of censoring
        # there, and the package's value is that of tau = 52
        kind = Uno(tau=52.0) if "rossi" in name else Uno()
        yield f"{name} Uno", _c(follow, risk, kind), known["uno_c"], GENERATED
    if "uno_c_tau_1825" not in known:
        return
    yield f"{name} Uno tau", _c(follow, risk, Uno(tau=1825)), known["uno_c_tau_1825"], GENERATED
    rng, auc = np.random.default_rng(0), known["cumulative_dynamic_auc"]
    found = dynamic_auc(Horizons(follow=follow, times=tuple(auc["times"])), risk, rng=rng, plan=FEW)
    yield from _each(f"{name} AUC", [one.value for one in found.at], auc["auc"], GENERATED)
    yield f"{name} mean AUC", found.overall.value, auc["mean"], GENERATED
    horizons = Horizons(follow=follow, times=tuple(known["brier"]["times"]))
    found = brier(horizons, fit.survival(x, horizons.times), rng=rng, plan=FEW)
    values = [one.value for one in found.at]
    yield from _each(f"{name} Brier", values, known["brier"]["values"], GENERATED)
    yield f"{name} IBS", found.overall.value, known["ibs"], GENERATED
