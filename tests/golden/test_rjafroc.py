"""RJafroc's stored results: figures of merit, DBM and OR analyses, CAD against radiologists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.reader_data import MERITS, Row, check, columns, golden, study
from onkos.stats.readers import dbm, fitting, foms, localisation, sizing
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import ErrorCovariance, bootstrap, delong, jackknife
from onkos.stats.readers.result import FactorAnalysis, ReaderTest
from onkos.stats.readers.standalone import against_readers

EXACT = 1e-9


def merit(record: dict[str, Any]) -> foms.FigureOfMerit:
    fpf = record.get("FPFValue")
    if record["fom"] in ("PCL", "ALROC"):
        return {"PCL": localisation.pcl, "ALROC": localisation.alroc}[record["fom"]](fpf)
    return MERITS[record["fom"]]


def named(name: str, ours: Any, reference: Any, tolerance: float = EXACT) -> Iterator[Row]:
    """One row for each number of two equal shapes; None has no reference."""
    mine, theirs = np.atleast_1d(np.asarray(ours, float)), np.atleast_1d(reference)
    assert mine.shape == theirs.shape, f"{name}: {mine.shape} against {theirs.shape}"
    for place in np.ndindex(mine.shape):
        if theirs[place] is None:
            continue
        where = f"{name} {list(place)}" if mine.size > 1 else name
        yield where, float(mine[place]), float(theirs[place]), tolerance


def fom_rows(data_dir: Path, record: dict[str, Any], name: str) -> Iterator[Row]:
    ours = foms.values(study(data_dir, record["dataset"]), merit(record))
    yield from named(name, ours, np.array(list(columns(record["values"]).values())))


def mean_square_rows(data_dir: Path, record: dict[str, Any], name: str) -> Iterator[Row]:
    case, fom = study(data_dir, record["dataset"]), merit(record)
    printed = "printed" in record["what"]
    if record["method"] == "OR":
        mean = orm.anova(foms.values(case, fom))
        ours = {"msT": mean.modality, "msR": mean.reader, "msTR": mean.interaction}
    else:
        found = dbm.anova(dbm.pseudovalues(case, fom))
        ours = {f"ms{key.upper()}": getattr(found, key) for key in MEANS}
        ours |= {"msCSingleT": found.c_of_modality, "msCSingleR": found.c_of_reader}
    for key, reference in record["values"].items():
        # Windows JAFROC worked in single precision: 7 digits, so 1e-6 of the value
        tolerance = 1e-6 * abs(reference) if printed else EXACT
        yield from named(f"{name} {key}", ours[key], reference, tolerance)


MEANS = ("t", "r", "c", "tr", "tc", "rc", "trc")


def pair_rows(tests: tuple[ReaderTest, ...], table: dict[str, Any], name: str) -> Iterator[Row]:
    ours = {
        "Estimate": [t.difference for t in tests],
        "StdErr": [t.stderr for t in tests],
        "DF": [t.df2 for t in tests],
        "t": [np.sign(t.difference) * t.f**0.5 for t in tests],
        "PrGTt": [t.p for t in tests],
        "CILower": [t.low for t in tests],
        "CIUpper": [t.high for t in tests],
    }
    ours |= {"z": ours["t"], "PrGTz": ours["PrGTt"]}
    for key, reference in columns(table).items():
        yield from named(f"{name} {key}", ours[key], reference)


def mean_rows(
    found: FactorAnalysis, table: dict[str, Any], name: str, covariance: ErrorCovariance
) -> Iterator[Row]:
    ours = {
        "Estimate": [m.value for m in found.means],
        "StdErr": [m.stderr for m in found.means],
        "DF": [m.df for m in found.means],
        "CILower": [m.low for m in found.means],
        "CIUpper": [m.high for m in found.means],
        "Cov2": [terms.cov2 for terms in orm.single_terms(covariance)],
    }
    for key, reference in columns(table).items():
        if " OR " in name and " FRRC " in name and key == "DF":
            continue  # printed K - 1 beside a normal interval
        yield from named(f"{name} {key}", ours[key], reference)


def factor_rows(
    found: FactorAnalysis, values: dict[str, Any], name: str, covariance: ErrorCovariance
) -> Iterator[Row]:
    overall = found.overall
    assert overall is not None
    scale = found.denominator
    ours = {
        "DF": [overall.df1, overall.df2],
        "MS": [overall.f * scale, scale],
        "FStat": [overall.f, np.nan],
        "F": [overall.f, np.nan],
        "Chisq": [overall.f * overall.df1, np.nan],
        "p": [overall.p, np.nan],
    }
    for key, reference in columns(values["FTests"]).items():
        yield from named(f"{name} F test {key}", ours[key], np.array(reference, dtype=object))
    yield from pair_rows(found.pairs, values["ciDiffTrt"], f"{name} difference")
    yield from mean_rows(found, values["ciAvgRdrEachTrt"], f"{name} mean", covariance)


def or_component_rows(
    covariance: ErrorCovariance, values: dict[str, Any], name: str, share: float = 0.0
) -> Iterator[Row]:
    """Components; within a share of the error variance where drawn at random."""
    parts = orm.variance_components(covariance, clamp=True)
    error, mean = parts.error, orm.anova(covariance.foms)
    readers, modalities = covariance.foms.shape
    squares = np.array([mean.modality, mean.reader, mean.interaction])
    df = np.array([modalities - 1, readers - 1, (modalities - 1) * (readers - 1)])
    anova = {"SS": squares * df, "DF": df, "MS": squares}
    for key, reference in columns(values["TRanova"]).items():
        yield from named(f"{name} anova {key}", anova[key], reference)
    terms = [error.cov1, error.cov2, error.cov3]
    printed = values["VarCom"]["Estimates"]
    drawn_at_random = share > 0
    for label, ours, reference in zip(
        ("VarR", "VarTR", "Cov1", "Cov2", "Cov3", "Var"),
        [parts.reader, parts.interaction, *terms, error.var],
        printed,
        strict=True,
    ):
        of = error.var if label in ("VarR", "VarTR") else reference
        yield from named(f"{name} {label}", ours, reference, share * abs(of) or EXACT)
    yield from named(
        f"{name} correlations",
        [np.nan, np.nan, *(np.array(terms) / error.var), np.nan],
        np.array(values["VarCom"]["Rhos"], dtype=object),
        0.05 if drawn_at_random else EXACT,
    )
    single = orm.single_terms(covariance)
    each = [orm.error_terms(covariance.matrix[r : r + 1, :, r : r + 1]) for r in range(readers)]
    tables = {
        "IndividualTrt": {
            "DF": [readers - 1] * modalities,
            "msREachTrt": mean.of_modality,
            "varEachTrt": [t.var for t in single],
            "cov2EachTrt": [t.cov2 for t in single],
        },
        "IndividualRdr": {
            "DF": [modalities - 1] * readers,
            "msTEachRdr": mean.of_reader,
            "varEachRdr": [t.var for t in each],
            "cov1EachRdr": [t.cov1 for t in each],
        },
    }
    for table, ours in tables.items():
        for key, reference in columns(values[table]).items():
            drawn = share * error.var if key[:3] in ("var", "cov") else 0.0
            yield from named(f"{name} {table} {key}", ours[key], reference, drawn or EXACT)


def dbm_component_rows(
    data_dir: Path, record: dict[str, Any], values: dict[str, Any], name: str
) -> Iterator[Row]:
    pseudo = dbm.pseudovalues(study(data_dir, record["dataset"]), merit(record))
    mean, parts = dbm.anova(pseudo), dbm.variance_components(pseudo)
    yield from named(
        f"{name} components",
        [
            *(parts.reader, parts.case, parts.modality_reader),
            *(parts.modality_case, parts.reader_case, parts.error),
        ],
        values["VarCom"]["Estimates"],
    )
    r, t, c = (size - 1 for size in pseudo.shape)
    df = np.array([t, r, c, t * r, t * c, r * c, t * r * c])
    squares = np.array([getattr(mean, key) for key in MEANS])
    total = ((pseudo - pseudo.mean()) ** 2).sum()
    anova = {
        "SS": [*(squares * df), total],
        "DF": [*df, pseudo.size - 1],
        "MS": [*squares, np.nan],
    }
    for key, reference in columns(values["TRCanova"]).items():
        yield from named(f"{name} anova {key}", anova[key], np.array(reference, dtype=object))
    of_modality = (mean.r_of_modality, mean.c_of_modality, mean.rc_of_modality)
    of_reader = (mean.t_of_reader, mean.c_of_reader, mean.tc_of_reader)
    tables = {
        "IndividualTrt": ([r, c, r * c], np.array(of_modality).T),
        "IndividualRdr": ([t, c, t * c], np.array(of_reader).T),
    }
    for table, (df_each, ours) in tables.items():
        printed = columns(values[table])
        yield from named(f"{name} {table} DF", df_each, printed.pop("DF"))
        for number, (key, reference) in enumerate(printed.items()):
            yield from named(f"{name} {table} {key}", ours[number], reference)


def significance_rows(data_dir: Path, record: dict[str, Any], name: str) -> Iterator[Row]:
    case, fom, values = study(data_dir, record["dataset"]), merit(record), record["values"]
    covariance = jackknife(case, fom)
    mine = {
        "foms": covariance.foms,
        "trtMeans": covariance.foms.mean(axis=0),
        "trtMeanDiffs": [
            covariance.foms[:, a].mean() - covariance.foms[:, b].mean()
            for a in range(len(case.modalities))
            for b in range(a + 1, len(case.modalities))
        ],
    }
    for table, ours in mine.items():
        reference = np.array(list(columns(values["FOMs"][table]).values()))
        yield from named(
            f"{name} {table}", ours, reference if table == "foms" else reference.reshape(-1)
        )
    by_or = record["method"] == "OR"
    if by_or:
        yield from or_component_rows(covariance, values["ANOVA"], name)
    else:
        yield from dbm_component_rows(data_dir, record, values["ANOVA"], name)
    for factors in ("RRRC", "FRRC", "RRFC"):
        if factors not in values:
            continue
        found = (
            orm.analyse(case, covariance, factors=factors)
            if by_or
            else dbm.analyse(case, fom, factors=factors)
        )
        yield from factor_rows(found, values[factors], f"{name} {factors}", covariance)
    if "FRRC" in values:
        alone = values["FRRC"]["ciDiffTrtEachRdr"]
        pairs = (
            [one.pairs for one in orm.each_reader(case, covariance)]
            if by_or
            else dbm.each_reader(case, fom)
        )
        flat = tuple(pair for one in pairs for pair in one)
        yield from pair_rows(flat, alone, f"{name} each reader")


def component_rows(data_dir: Path, record: dict[str, Any], name: str) -> Iterator[Row]:
    case, fom = study(data_dir, record["dataset"]), merit(record)
    if record["method"] == "DBM":
        yield from dbm_component_rows(data_dir, record, record["values"], name)
    elif record["covariance"] == "bootstrap":
        drawn = bootstrap(case, fom, rng=np.random.default_rng(1), resamples=4_000)
        yield from or_component_rows(drawn, record["values"], name, 0.1)
    else:
        method = {"jackknife": jackknife, "DeLong": delong}[record["covariance"]]
        yield from or_component_rows(method(case, fom), record["values"], name)


def standalone_rows(data_dir: Path, record: dict[str, Any], name: str) -> Iterator[Row]:
    found = against_readers(
        study(data_dir, record["dataset"]), merit(record), software="0", design=record["method"]
    )
    test, mean, parts, error = found.test, found.reader_mean, found.components, found.error
    t = float(np.sign(test.difference) * test.f**0.5)
    ours: dict[str, Any] = {
        "fomCAD": found.software,
        "fomRAD": found.readers,
        "avgRadFom": mean.value,
        "CIAvgRadFom": [mean.low, mean.high],
        "CIAvgRad": [mean.low, mean.high],
        "avgDiffFom": test.difference,
        "CIAvgDiffFom": [test.low, test.high],
        "varR": found.spread,
        "varDiffFom": found.spread,
        "Tstat": t,
        "FStat": test.f,
        "ndf": test.df1,
        "df": test.df2,
        "pval": test.p,
    }
    if error:
        ours |= {"varError": error.var, "cov1": error.cov1, "cov2": error.cov2, "cov3": error.cov3}
    if parts:
        ours |= {"varR": parts.reader, "varTR": parts.interaction}
    for key, reference in record["values"].items():
        if key in ours:
            plain = list(reference.values()) if isinstance(reference, dict) else reference
            yield from named(f"{name} {key}", ours[key], plain)
    if found.software_mean:
        both = (found.software_mean, mean)
        yield from pair_rows((test,), record["values"]["ciDiffFom"], f"{name} difference")
        single = {
            "Estimate": [m.value for m in both],
            "StdErr": [m.stderr for m in both],
            "DF": [m.df for m in both],
            "CILower": [m.low for m in both],
            "CIUpper": [m.high for m in both],
        }
        printed = columns(record["values"]["ciAvgRdrEachTrt"])
        for key, mine in single.items():
            for ours_one, reference in zip(mine, printed[key], strict=True):
                if reference == "Inf":
                    assert np.isinf(ours_one)
                else:
                    yield f"{name} mean {key}", ours_one, reference, EXACT


def sizing_rows(data_dir: Path) -> Iterator[Row]:
    """Power and sizes; a power is given to fewer digits where a test of the package holds it."""
    for entry in golden(data_dir, "rjafroc_reference")["sample_size_and_power"]:
        if "effectSize" not in entry:
            continue  # FROC sizing by the search model
        case, name = study(data_dir, entry["dataset"]), f"{entry['dataset']} {entry['analysis']}"
        covariance = jackknife(case, foms.WILCOXON)
        pilot = sizing.Pilot.of_or(orm.variance_components(covariance), cases=len(case.cases))
        pseudo = dbm.variance_components(dbm.pseudovalues(case, foms.WILCOXON))
        observed = covariance.foms.mean(axis=0)
        effect = entry["effectSize"]
        effect = effect if isinstance(effect, float) else float(observed[0] - observed[1])
        asked = {"difference": effect, "readers": entry["J"]}
        if "K" not in entry:
            found = sizing.cases_for(pilot, **asked, factors=entry["analysis"])
            assert found is not None
            tried = [found]
        elif "note" in entry:
            tried = [sizing.power_by_dbm(pseudo, **asked, cases=entry["K"])]
        else:
            tried = [
                sizing.power(each, **asked, cases=entry["K"], factors=entry["analysis"])
                for each in (pilot, sizing.Pilot.of_dbm(pseudo, cases=len(case.cases)))
            ]
        tolerance = entry.get("tolerance", EXACT)
        for one in tried:
            ours = {
                "power": one.power,
                "ncp": one.noncentrality,
                "df2": one.df2,
                "f": one.critical,
                "chsq": one.critical,
                "K": float(one.cases),
            }
            for key, value in entry["values"].items():
                reference = value[0] if isinstance(value, list) else value
                stem = key.removesuffix(entry["analysis"])
                if reference is not None:
                    room = 5e-4 if reference == 0.801 else tolerance
                    yield f"{name} {key}", ours[stem], reference, room


def fit_rows(data_dir: Path) -> Iterator[Row]:
    """Fitted curves of one reader, and the likelihood of the package's own optimum.

    The search model's reference stopped short of the maximum (its likelihood is 0.0036 lower
    than ours), so of that fit only what the flat direction leaves alone is compared.
    """
    case = study(data_dir, "dataset02")
    ratings = case.highest[0, 0]
    levels = np.unique(ratings)
    low, high = (
        np.array([(ratings[chosen] == level).sum() for level in levels], dtype=float)
        for chosen in (~case.truth, case.truth)
    )
    models: tuple[fitting.Model, ...] = ("binormal", "contaminated binormal", "search model")
    fits = golden(data_dir, "rjafroc_reference")["single_curve_fits"]
    for model, entry in zip(models, fits, strict=True):
        found, values = fitting.fit(low, high, model=model), entry["values"]
        assert found.negative_log_likelihood <= values["NLLFin"] + 1e-9
        keys = {"binormal": ("a", "b"), "contaminated binormal": ("mu", "alpha")}.get(
            model, ("mu", "lambda", "nu")
        )
        cuts = list(values["zetas"].values())
        theirs = fitting.negative_log_likelihood(
            low, high, model=model, parameters=[values[k] for k in keys], thresholds=cuts
        )
        yield f"{model} likelihood of the reference", theirs, values["NLLFin"], EXACT
        yield f"{model} AUC", found.auc, values["AUC"], 1e-3
        for key, ours in zip(keys, found.parameters, strict=True):
            if model != "search model" or key == "nu":
                yield f"{model} {key}", ours, values[key], 1e-3
        if model != "search model":
            for ours, reference in zip(found.thresholds, cuts, strict=True):
                yield f"{model} threshold", ours, reference, 1e-3
            yield f"{model} likelihood", found.negative_log_likelihood, values["NLLFin"], 1e-3
            error = fitting.standard_error(found, low, high)
            yield f"{model} standard error", error, values["StdAUC"][0][0], 1e-3


def rows(data_dir: Path) -> list[Row]:
    """Name, ours, reference, tolerance of every stored number of these analyses."""
    made: dict[str, Callable[[Path, dict[str, Any], str], Iterator[Row]]] = {
        "figure-of-merit": fom_rows,
        "mean squares": mean_square_rows,
        "mean squares printed by Windows JAFROC (8 decimals)": mean_square_rows,
        "significance testing": significance_rows,
        "variance components": component_rows,
        "CAD (reader 1) against radiologists (readers 2-10)": standalone_rows,
    }
    found: list[Row] = []
    for record in golden(data_dir, "rjafroc_reference")["records"]:
        what = record.get("what", record["method"])
        if what in made:
            words = [record[key] for key in ("dataset", "method", "fom")]
            words += [str(record[key]) for key in ("covariance", "FPFValue") if record.get(key)]
            found.extend(made[what](data_dir, record, " ".join(words)))
    return [*found, *sizing_rows(data_dir), *fit_rows(data_dir)]


@pytest.mark.data
def test_every_stored_value_is_reproduced(data_dir):
    check(rows(data_dir), expected=3569)
