"""Reader studies by U-statistics: one shot, any design, missing readings allowed.

Every reading that exists enters through the design matrix; nothing is thrown away because
another reader or modality lacks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.geometry import FloatArray
from onkos.stats.readers.comparisons import Comparisons, RankScores
from onkos.stats.readers.foms import Counted, FigureOfMerit, PairMerit, ShareMerit, require_kind
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.readers.result import Label, ModalityMean, ReaderTest, mean_of, t_test

# Rows: what two pairs of (reader, normal, abnormal) share; columns: the eight moments.
_SHARE = {
    "reader": np.array([1, 1, 1, 1, 0, 0, 0, 0]),
    "normal": np.array([1, 0, 1, 0, 1, 0, 1, 0]),
    "abnormal": np.array([1, 1, 0, 0, 1, 1, 0, 0]),
}
# Components by moments: N, D, ND, R, NR, DR, RND.
_COMPONENTS = np.array(
    [
        [0, 0, 0, 0, 0, 0, 1, -1],
        [0, 0, 0, 0, 0, 1, 0, -1],
        [0, 0, 0, 0, 1, -1, -1, 1],
        [0, 0, 0, 1, 0, 0, 0, -1],
        [0, 0, 1, -1, 0, 0, -1, 1],
        [0, 1, 0, -1, 0, -1, 0, 1],
        [1, -1, -1, 1, -1, 1, 1, -1],
    ]
)
_IN_COMPONENT = np.array(
    [
        [1, 0, 1, 0, 1, 0, 1, 0],
        [1, 1, 0, 0, 1, 1, 0, 0],
        [1, 0, 0, 0, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0],
    ]
)
COMPONENTS = ("N", "D", "ND", "R", "NR", "DR", "RND")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairMoments:
    """Second moments of two modalities (or of one with itself) and what each counts.

    M1 same reader, normal and abnormal case; M2 same reader and abnormal case; M3 same reader
    and normal case; M4 same reader; M5 same pair of cases; M6 same abnormal case; M7 same normal
    case; M8 nothing shared. A moment is NaN where the design has no such pairs.

    Parameters
    ----------
    values, coefficients
        Moments M1 to M8 (BDG) and the share of pairs of each kind, minus 1 for M8: the
        covariance is the sum of their products.
    """

    values: FloatArray
    coefficients: FloatArray

    @property
    def covariance(self) -> float:
        """Covariance of the two modalities' means."""
        return float(np.where(self.coefficients != 0, self.values, 0.0) @ self.coefficients)

    @property
    def components(self) -> FloatArray:
        """Components of variance (BCK): N, D, ND, R, NR, DR, RND."""
        return np.asarray(_COMPONENTS @ self.values)

    @property
    def component_coefficients(self) -> FloatArray:
        """What each component counts in the variance."""
        return np.asarray(_IN_COMPONENT @ self.coefficients)

    def shared(self, what: str) -> float:
        """Covariance that comes from pairs sharing a reader, a normal or an abnormal case."""
        part = self.coefficients * _SHARE[what]
        return float(np.where(part != 0, self.values - self.values[7], 0.0) @ part)


@dataclass(frozen=True, slots=True, kw_only=True)
class UAnalysis:
    """Means, differences and moments of a study, readers and cases being random.

    ``moments[a, b]`` holds those of modalities a and b, a <= b.
    """

    means: tuple[ModalityMean, ...]
    pairs: tuple[ReaderTest, ...]
    moments: dict[tuple[int, int], PairMoments]


def analyse(
    study: ReaderStudy,
    fom: FigureOfMerit,
    *,
    biased: bool = False,
    level: float = 0.95,
) -> UAnalysis:
    """Compare modalities by U-statistics; readers weigh by their pairs of readings.

    Parameters
    ----------
    study
        Any design: readers, modalities and cases may be crossed, nested, split or incomplete.
    fom
        A mean over pairs of a normal and an abnormal case (Wilcoxon, HrAuc, wAFROC), or a share
        of one class (sensitivity, specificity), which is then averaged over readers as if each
        case of that class met every case of the other.
    biased
        Estimate moments without leaving out the pairs that share more (iMRMC's "MLE"): somewhat
        too large a variance, and in a crossed study never a negative one.
    level
        Confidence level.

    Notes
    -----
    Degrees of freedom are Satterthwaite's for three samples, readers, normal and abnormal cases:
    squared variance over the sum of squared parts, each by its number less one, where the part
    of a sample is what comes from pairs that share a member of it. iMRMC's own rule is not
    published with its results; on the VIPER studies ours are 2 to 10 % lower.

    Raises
    ------
    UsageError
        If there is only one reader.
    ContentError
        If the figure of merit is not of that form, or the design leaves a moment open.

    References
    ----------
    Gallas BD. One-shot estimate of MRMC variance: AUC. Acad Radiol 2006;13:353-362.
    doi:10.1016/j.acra.2005.11.030. Gallas BD, Bandos A, Samuelson FW, Wagner RF. A framework
    for random-effects ROC analysis: biases with the bootstrap and other variance estimators.
    Commun Stat Theory Methods 2009;38:2586-2603. doi:10.1080/03610920802610084.
    Obuchowski NA, Gallas BD, Hillis SL. Multi-reader ROC studies with split-plot designs: a
    comparison of statistical methods. Acad Radiol 2012;19:1508-1517.
    doi:10.1016/j.acra.2012.09.012
    """
    if len(study.readers) < 2:
        raise UsageError("U-statistics: one reader cannot speak for other readers; add readers")
    label = Label(
        analysis="U", fom=fom.name, covariance="U, biased" if biased else "U", level=level
    )
    pairs = pairs_of(study, fom)
    value, moments = _means_and_moments(pairs, biased=biased)
    if any(np.isnan(m.values[7]) for m in moments.values()):
        raise ContentError(
            "U-statistics: no two readers read different normal and abnormal cases; the design "
            "leaves the variance open"
        )
    number = len(value)
    sizes = _sizes(pairs)
    return UAnalysis(
        means=tuple(
            mean_of(
                study.modalities[m],
                value[m],
                variance=moments[m, m].covariance,
                df=_df([(1.0, moments[m, m])], sizes[:, m]),
                level=level,
            )
            for m in range(number)
        ),
        pairs=tuple(
            _difference(
                label,
                (study.modalities[a], study.modalities[b]),
                value[a] - value[b],
                [(1.0, moments[a, a]), (1.0, moments[b, b]), (-2.0, moments[a, b])],
                np.maximum(sizes[:, a], sizes[:, b]),
            )
            for a, b in combinations(range(number), 2)
        ),
        moments=moments,
    )


def moments_of(
    study: ReaderStudy, fom: FigureOfMerit, *, biased: bool = False
) -> dict[tuple[int, int], PairMoments]:
    """Moments of every two modalities, as in :func:`analyse`; also where they make no variance."""
    return _means_and_moments(pairs_of(study, fom), biased=biased)[1]


def _means_and_moments(
    pairs: Comparisons, *, biased: bool
) -> tuple[list[float], dict[tuple[int, int], PairMoments]]:
    readers, number = pairs.row_mass.shape[:2]
    by_row, by_column = pairs.scores.row_sums(), pairs.scores.column_sums()
    made = [_Sums.of(by_row[:, m], by_column[:, m]) for m in range(number)]
    n0, n1 = pairs.row_mass.sum(axis=-1, keepdims=True), pairs.column_mass.sum(-1, keepdims=True)
    rows, columns = pairs.row_mass * n1, pairs.column_mass * n0
    there = [_Sums.of(rows[:, m], columns[:, m]) for m in range(number)]
    moments = {}
    for a in range(number):
        for b in range(a, number):
            cells = [[(r, m) for r in range(readers)] for m in (a, b)]
            low = pairs.row_mass[:, a] @ pairs.row_mass[:, b].T
            high = pairs.column_mass[:, a] @ pairs.column_mass[:, b].T
            moments[a, b] = _moments(
                _products(made[a], made[b], pairs.scores.products(*cells)),
                _products(there[a], there[b], low * high),
                total=float(there[a].every.sum() * there[b].every.sum()),
                biased=biased,
            )
    means = [float(made[m].every.sum() / there[m].every.sum()) for m in range(number)]
    return means, moments


def each_reader(study: ReaderStudy, fom: FigureOfMerit) -> tuple[FloatArray, FloatArray]:
    """Figure of merit and its unbiased variance over cases, reader by reader.

    Returns
    -------
    tuple[FloatArray, FloatArray]
        Both of shape (readers, modalities); NaN where a reader did not take part, and for the
        variance also where there is only one case of a class.
    """
    pairs = pairs_of(study, fom)
    n0, n1 = pairs.row_mass.sum(axis=-1), pairs.column_mass.sum(axis=-1)
    by_row, by_column = pairs.scores.row_sums(), pairs.scores.column_sums()
    every = by_row.sum(axis=-1)
    squares = np.array([pairs.scores.products([cell], [cell]) for cell in np.ndindex(n0.shape)])
    sums = [
        squares.reshape(n0.shape),
        (by_column**2).sum(axis=-1),
        (by_row**2).sum(axis=-1),
        every**2,
    ]
    n = n0 * n1
    counts = _exactly(np.array([n, n * n0, n * n1, n**2]))
    with np.errstate(invalid="ignore", divide="ignore"):
        moments = _exactly(np.array(sums)) / counts
        return every / n, np.einsum("krm,krm->rm", moments[:3] - moments[3], counts[:3] / n**2)


def pairs_of(study: ReaderStudy, fom: FigureOfMerit) -> Comparisons:
    """Give a figure of merit as comparisons of normal and abnormal cases."""
    require_kind(study, fom)
    if isinstance(fom, PairMerit):
        pairs = fom.pairs(study)
        if pairs.plain:
            return pairs
    if isinstance(fom, ShareMerit) and fom.counted != "all" and fom.finish is np.positive:
        part, whole = fom.parts(study)
        if np.isin(whole, [0, 1]).all():
            return _of_share(study, part, fom.counted)
    raise ContentError(
        f"{fom.name}: U-statistics need a mean over pairs of a normal and an abnormal case, or a "
        "share of the cases of one class"
    )


def _of_share(study: ReaderStudy, part: FloatArray, counted: Counted) -> Comparisons:
    """A share of one class, as if each of its cases met every case of the other and won or not."""
    read = study.read.astype(np.float64)
    low, high = read[..., study.normal], read[..., study.abnormal]
    abnormal = counted == "abnormal"
    return Comparisons(
        scores=RankScores(
            low=np.zeros(low.shape),
            low_weight=low if abnormal else part[..., study.normal],
            high=np.ones((*high.shape, 1)),
            high_weight=(part[..., study.abnormal] if abnormal else high)[..., None],
        ),
        row_mass=low,
        column_mass=high,
        rows=study.normal,
        columns=study.abnormal,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Scores, or numbers of pairs, of one modality: sums by reader and abnormal or normal case."""

    by_abnormal: FloatArray
    by_normal: FloatArray
    every: FloatArray

    @classmethod
    def of(cls, by_normal: FloatArray, by_abnormal: FloatArray) -> _Sums:
        """Take sums of shape (readers, cases)."""
        return cls(by_abnormal=by_abnormal, by_normal=by_normal, every=by_abnormal.sum(axis=1))


def _moments(sums: FloatArray, counts: FloatArray, *, total: float, biased: bool) -> PairMoments:
    """Moments of two modalities from sums of products and their numbers."""
    apart = _apart(counts)
    top, bottom = (sums, counts) if biased else (_apart(sums), apart)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(bottom > 0, top / bottom, np.nan)
    coefficients = apart / total
    coefficients[7] -= 1
    return PairMoments(values=values, coefficients=coefficients)


def _products(a: _Sums, b: _Sums, same_pair: FloatArray) -> FloatArray:
    """Sums of products over pairs that share at least reader, normal, abnormal; ... ; nothing.

    ``same_pair`` has the sums over the same pair of cases for each two readers.
    """
    return np.array(
        [
            np.trace(same_pair),
            _dot(a.by_abnormal, b.by_abnormal),
            _dot(a.by_normal, b.by_normal),
            _dot(a.every, b.every),
            same_pair.sum(),
            a.by_abnormal.sum(axis=0) @ b.by_abnormal.sum(axis=0),
            a.by_normal.sum(axis=0) @ b.by_normal.sum(axis=0),
            a.every.sum() * b.every.sum(),
        ],
        dtype=np.float64,
    )


def _dot(a: FloatArray, b: FloatArray) -> float:
    """Sum of products; not BLAS, whose threads cost more than they give at this size."""
    return float(np.einsum("i,i->", a.ravel(), b.ravel()))


def _apart(sums: FloatArray) -> FloatArray:
    """The same over pairs that share exactly that and no more."""
    other = sums[4:] - sums[:4]
    return np.concatenate([_exactly(sums[:4]), _exactly(other)])


def _exactly(sums: FloatArray) -> FloatArray:
    both, abnormal, normal, every = sums
    return np.array([both, abnormal - both, normal - both, every - abnormal - normal + both])


def _sizes(pairs: Comparisons) -> FloatArray:
    """Readers, normal and abnormal cases of each modality, shape (3, modalities)."""
    low, high = pairs.row_mass > 0, pairs.column_mass > 0
    took_part = low.any(axis=2) & high.any(axis=2)
    return np.array(
        [took_part.sum(axis=0), low.any(axis=0).sum(axis=1), high.any(axis=0).sum(axis=1)],
        dtype=np.float64,
    )


def _df(terms: list[tuple[float, PairMoments]], sizes: FloatArray) -> float:
    """Satterthwaite's degrees of freedom of a sum of covariances."""
    variance = sum(sign * moments.covariance for sign, moments in terms)
    parts = [sum(sign * moments.shared(what) for sign, moments in terms) for what in _SHARE]
    spread = sum(part**2 / max(number - 1, 1.0) for part, number in zip(parts, sizes, strict=True))
    fewest = float(sizes.min()) - 1
    return max(variance**2 / spread, fewest) if spread > 0 else max(fewest, 1.0)


def _difference(
    label: Label,
    names: tuple[str, str],
    difference: float,
    terms: list[tuple[float, PairMoments]],
    sizes: FloatArray,
) -> ReaderTest:
    variance = sum(sign * moments.covariance for sign, moments in terms)
    if variance < 0 and abs(difference) < 1e-12 and variance > -1e-12:
        variance = 0.0
    return t_test(
        label,
        factors="RRRC",
        modalities=names,
        difference=difference,
        variance=variance,
        df=_df(terms, sizes),
    )
