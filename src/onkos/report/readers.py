"""The page of a reader study: which modality reads better, by how much, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.source import Caveat
from onkos.core.version import __version__
from onkos.report import page, words
from onkos.report.figures import Drawing, Line, Sample, rocs
from onkos.report.page import Fact
from onkos.report.words import Shown
from onkos.stats.readers.analysis import MeanFom, ReaderAnalysis
from onkos.stats.readers.reading_time import ReadingTimes
from onkos.stats.readers.result import WORDS, ReaderTest
from onkos.stats.readers.standalone import Standalone

ALPHA = 0.05
_FOMS = {"Wilcoxon": "AUC"}
_AREAS = ("Wilcoxon", "HrAuc")  # areas under the very curves that are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """One test in numbers and words."""

    fom: str
    method: str
    factors: str
    pair: str
    shown: Shown
    f: str
    df: str
    p: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What is analysed where the table allows it: software alone, and reading times."""

    standalone: Standalone | None = None
    software: str = ""
    times: ReadingTimes | None = None


def render(
    analysis: ReaderAnalysis, *, name: str, caveats: Sequence[Caveat], extra: Extra = Extra()
) -> str:
    """Make the report of a reader study: one HTML page that opens from disk without a network.

    The main test is that of Obuchowski and Rockette with readers and cases random, where the
    design allows it, since its answer is about other readers and other cases.
    """
    main = _main(analysis)
    refused = [
        Caveat(code="not-analysed", text=f"{one.what}: {one.why}.") for one in analysis.refused
    ]
    return page.fill(
        "readers.html.j2",
        style=("page.css",),
        title=f"Reader study {name}",
        phantom=False,
        name=name,
        answer=_answer(analysis, main),
        setting=_setting(analysis),
        caveats=[*caveats, *refused],
        tests=[_test(test) for test in analysis.tests],
        means=[_mean(mean) for mean in _of_main(analysis, main)],
        modalities=analysis.modalities,
        readers=_by_reader(analysis),
        drawings=_curves(analysis),
        standalone=_standalone(extra),
        times=_times(extra.times),
        facts=(
            Fact(name="Ratings", value=name, code=True),
            Fact(name="Onkos", value=__version__),
            Fact(name="Design", value=analysis.design.name),
        ),
    )


def fom(name: str) -> str:
    """A figure of merit as it is printed."""
    return _FOMS.get(name, name)


def _main(analysis: ReaderAnalysis) -> ReaderTest | None:
    """The test that answers: OR before U before DBM, readers and cases random."""
    order = {"OR": 0, "U": 1, "DBM": 2}
    usable = [t for t in analysis.tests if t.factors == "RRRC" and len(t.modalities) == 2]
    return min(usable, key=lambda test: order[test.analysis], default=None)


def _of_main(analysis: ReaderAnalysis, main: ReaderTest | None) -> list[MeanFom]:
    """The readers' means by the analysis that the main test belongs to."""
    if main is None:
        return [mean for mean in analysis.means if mean.factors == "RRRC"]
    key = (main.analysis, main.fom, main.covariance, main.factors)
    return [m for m in analysis.means if (m.analysis, m.fom, m.covariance, m.factors) == key]


def _answer(analysis: ReaderAnalysis, main: ReaderTest | None) -> str:
    means = {mean.modality: words.estimated(mean.estimate) for mean in _of_main(analysis, main)}
    if main is None:
        each = [f"{modality} {shown}" for modality, shown in means.items()]
        return f"The readers' mean: {'; '.join(each)}." if each else "Nothing could be estimated."
    a, b = main.modalities
    difference = words.ranged(main.difference, main.low, main.high)
    differ = main.p < ALPHA and not main.low <= 0 <= main.high
    first, second = _called(a), _called(b)
    higher = first if main.difference > 0 else second
    verdict = f"read better with {higher}" if differ else "not shown to differ"
    return (
        f"Mean {fom(main.fom)} of the readers {means.get(a)} with {first} and {means.get(b)} "
        f"with {second}; difference {difference}, p {words.p_value(main.p)}: {verdict}."
    )


def _called(modality: str) -> str:
    """A modality as it stands in a sentence; a bare number is said to be one."""
    return f"modality {modality}" if modality.isdigit() else modality


def _setting(analysis: ReaderAnalysis) -> str:
    n = len(analysis.modalities)
    return (
        f"{words.counted(len(analysis.readers), 'reader')}, "
        f"{n} {'modality' if n == 1 else 'modalities'}, "
        f"{analysis.abnormal} abnormal and {analysis.normal} normal cases; {analysis.kind} study, "
        f"design: {analysis.design.name}."
    )


def _test(test: ReaderTest) -> TestRow:
    finite = [f"{df:.4g}" if df < 1e9 else "∞" for df in (test.df1, test.df2)]
    joined = " − ".join(test.modalities) if len(test.modalities) == 2 else "all equal"
    return TestRow(
        fom=fom(test.fom),
        method=f"{test.analysis}, {test.covariance}",
        factors=WORDS[test.factors],
        pair=joined,
        shown=words.ranged(test.difference, test.low, test.high),
        f=words.number(test.f),
        df=", ".join(finite),
        p=words.p_value(test.p),
    )


def _mean(mean: MeanFom) -> tuple[str, str, Shown]:
    return fom(mean.fom), mean.modality, words.estimated(mean.estimate)


def _by_reader(analysis: ReaderAnalysis) -> list[tuple[str, str, list[Shown | None]]]:
    """Figure of merit, reader, and one cell a modality."""
    found = {(one.fom, one.reader, one.modality): one.estimate for one in analysis.foms}
    rows = []
    for name in dict.fromkeys(one.fom for one in analysis.foms):
        for reader in analysis.readers:
            cells = [found.get((name, reader, modality)) for modality in analysis.modalities]
            shown = [None if cell is None else words.estimated(cell) for cell in cells]
            rows.append((fom(name), reader, shown))
    return rows


def _curves(analysis: ReaderAnalysis) -> list[Drawing]:
    """ROC curves of the readers in each modality, their average thick."""
    sample = Sample(n=analysis.normal + analysis.abnormal, unit="cases")
    noted = {
        (one.reader, one.modality): f"{fom(one.fom)} {words.estimated(one.estimate)}"
        for one in analysis.foms
        if one.fom in _AREAS
    }
    drawn = []
    for modality in analysis.modalities:
        lines = [
            Line(
                name=f"reader {one.reader}" if one.reader.isdigit() else one.reader or "average",
                x=one.curve.x,
                y=one.curve.y,
                note=noted.get((one.reader, modality), ""),
            )
            for one in analysis.curves
            if one.modality == modality and one.kind == "ROC"
        ]
        average = next((line for line in lines if line.name == "average"), None)
        alone = [line for line in lines if line is not average]
        title = f"ROC curves, {_called(modality)}"
        drawn.append(rocs(alone, sample=sample, average=average, title=title))
    return drawn


def _standalone(extra: Extra) -> str:
    """Software against the mean of the readers, in a sentence."""
    if extra.standalone is None:
        return ""
    test = extra.standalone.test
    difference = words.ranged(test.difference, test.low, test.high)
    return (
        f"{extra.software} alone: {fom(test.fom)} {words.number(extra.standalone.software)}; mean "
        f"of the {len(extra.standalone.readers)} readers minus it {difference}, "
        f"p {words.p_value(test.p)} ({WORDS[test.factors]})."
    )


def _times(times: ReadingTimes | None) -> list[str]:
    if times is None:
        return []
    means = [
        f"{modality}: geometric mean {words.estimated(seconds)} s a case"
        for modality, seconds in times.seconds.items()
    ]
    ratios = [
        f"{one.names[0]} by {one.names[1]}: ratio {words.estimated(one.ratio)}, "
        f"p {words.p_value(one.p)}"
        for one in times.ratios
    ]
    return [*means, *ratios]
