"""Robustness of radiomic features to perturbation of image and outline, by ICC."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.mask import Mask
from onkos.core.method import Method
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.features.perturbation.measure import Measured, measured
from onkos.features.perturbation.plan import CHAIN, KINDS, NONE, Perturbation, Perturbations
from onkos.features.radiomics import Settings
from onkos.features.radiomics.catalogue import FAMILIES, identifier
from onkos.stats.agreement.icc import icc

ALL = "all"
UNTOLD = "untold"
GRADES = ("excellent", "good", "moderate", "poor")
FEWEST = 10  # regions; with fewer the interval spans several grades
_ADVISED = 30  # Koo and Li's advice
_ENDS = (0.9, 0.75, 0.5)  # Koo and Li's grades


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Stability of one feature under one kind of perturbation.

    Parameters
    ----------
    feature
        Its name with IBSI's identifier, e.g. ``cm_contrast_3D_comb_ACUI``.
    kind
        ``chain`` (all kinds at once), one of the kinds, or ``all`` perturbations of a plan that
        has no chains.
    icc
        ICC(1,1): the fraction of the variance that is between regions.
    regions, left_out
        Number of regions used, and of those left out because the feature is undefined in some
        measurement.
    perturbations
        Measurements per region, including the unperturbed one.
    least
        Threshold: the lower confidence limit of a stable feature must reach it.
    """

    feature: str
    kind: str
    icc: Estimate
    regions: int
    left_out: int
    perturbations: int
    least: float

    @property
    def family(self) -> str:
        """Family of the feature, e.g. ``cm``, be it of the image or of a filter's response."""
        return _family(self.feature)

    @property
    def told(self) -> bool:
        """Whether there are enough regions, and the feature varies between them."""
        return self.regions >= FEWEST and not math.isnan(self.icc.value)

    @property
    def grade(self) -> str:
        """Grade by the lower confidence limit: excellent, good, moderate, poor; or untold."""
        if not self.told:
            return UNTOLD
        return GRADES[sum(self.icc.low <= end for end in _ENDS)]

    @property
    def unstable(self) -> str:
        """``no`` where the lower limit reaches the threshold, else ``yes``; or ``untold``."""
        if not self.told:
            return UNTOLD
        return "no" if self.icc.low >= self.least else "yes"

    @property
    def note(self) -> str:
        """Why the stability cannot be estimated, and what was left out."""
        said = []
        if self.regions < FEWEST:
            said.append(f"fewer than {FEWEST} regions")
        elif not self.told:
            said.append("no variation")
        if self.left_out:
            said.append(f"{self.left_out} regions left out, undefined there")
        return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """Stability of every feature, under every kind of perturbation.

    ``deciding`` is the kind by which features are kept or dropped: ``chain`` where there are any.
    """

    stabilities: tuple[Stability, ...]
    deciding: str
    caveats: tuple[Caveat, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of perturbation, the deciding one first."""
        return tuple(dict.fromkeys(one.kind for one in self.stabilities))

    def of(self, kind: str = "") -> tuple[Stability, ...]:
        """Stabilities under one kind; under the deciding one without a name."""
        wanted = kind or self.deciding
        if wanted not in self.kinds:
            raise UsageError(f"kind {wanted!r}: expected one of {', '.join(self.kinds)}")
        return tuple(one for one in self.stabilities if one.kind == wanted)


def robustness(
    looks: Iterable[tuple[str, Volume, Mask]],
    settings: Settings | None = None,
    perturbations: Perturbations | None = None,
    *,
    rng: np.random.Generator,
    least: float = 0.75,
    threads: int = 2,
) -> Robustness:
    """Estimate which radiomic features are robust to a second scan and a second outline.

    Every region is rotated, translated, given noise and re-outlined, singly and in combination,
    and measured each time. The intraclass correlation ICC(1,1) is the fraction of a feature's
    variance that is between regions rather than between measurements of one region. It holds
    for these regions, this kind of image and these settings: among very similar regions every
    feature appears unstable.

    Parameters
    ----------
    looks
        Patient, image and outline, with one region or more each; read one at a time. All labels
        are regions of one kind: outlines of different tissues need separate calls.
    settings
        Of the extraction; its defaults if None.
    perturbations
        The plan; the defaults of :class:`Perturbations` if None.
    rng
        Of the plan's chains, of noise, outlines and resampling.
    least
        Threshold for the lower limit of the 95 % interval of the ICC. The default is the lower
        end of Koo and Li's grade good; Zwanenburg 2019 used 0.90.
    threads
        Number of threads; the values do not depend on it.

    Raises
    ------
    ContentError
        If there is no region at all, or the regions were measured by different features.
    GeometryError, ContentError
        What the extraction refuses.

    References
    ----------
    Zwanenburg A et al. Assessing robustness of radiomic features by image perturbation. Sci Rep
    2019;9:614. doi:10.1038/s41598-018-36938-4
    Koo TK, Li MY. A guideline of selecting and reporting intraclass correlation coefficients for
    reliability research. J Chiropr Med 2016;15:155-163. doi:10.1016/j.jcm.2016.02.012
    """
    variants = (Perturbations() if perturbations is None else perturbations).variants(rng)
    seed = int(rng.integers(2**63))
    found: list[Measured] = []
    for number, (patient, volume, mask) in enumerate(looks):
        draw = np.random.default_rng([seed, number])
        regions = measured(volume, mask, variants, settings=settings, rng=draw, threads=threads)
        found += [replace(one, patient=patient) for one in regions]
    return judged(found, variants, rng=np.random.default_rng(seed), least=least)


def judged(
    found: Sequence[Measured],
    variants: Sequence[Perturbation],
    *,
    rng: np.random.Generator,
    least: float = 0.75,
) -> Robustness:
    """Stability of features from existing measurements.

    The interval is from the F distribution. Where patients have several regions, and there are
    ten patients or more, it is from a bootstrap by patient; with fewer patients, regions are
    treated as independent, with a caveat.

    Raises
    ------
    ContentError
        If there is no region, or the regions do not have the same features and perturbations.
    UsageError
        If ``least`` is not between 0 and 1.
    """
    if not 0 < least < 1:
        raise UsageError(f"least {least}: expected an ICC between 0 and 1, such as 0.75")
    if not found:
        raise ContentError("robustness: no region at all was given; expected ten or more")
    columns = found[0].columns
    shape = (len(variants), len(columns))
    if any(one.columns != columns or one.values.shape != shape for one in found):
        raise ContentError(
            f"regions measured by different features or perturbations; expected {shape[0]} "
            f"perturbations and the same {shape[1]} features for each"
        )
    values = np.stack([one.values for one in found])
    groups = _groups(variants)
    seed = int(rng.integers(2**63))
    patients = [one.patient for one in found]
    stabilities = tuple(
        _stability(name, kind, values[:, chosen, n], patients=patients, least=least, seed=seed)
        for kind, chosen in groups.items()
        for n, name in enumerate(columns)
    )
    return Robustness(
        stabilities=stabilities, deciding=next(iter(groups)), caveats=_caveats(found, patients)
    )


def robust_features(found: Robustness, kind: str = "") -> tuple[str, ...]:
    """Names of the stable features; those that cannot be estimated are not among them.

    ``kind`` selects one kind of perturbation instead of the deciding one.
    """
    return tuple(one.feature for one in found.of(kind) if one.unstable == "no")


def _family(feature: str) -> str:
    """Family of a feature, from the tag and identifier in its column name."""
    parts = feature.split("_")
    for n, part in enumerate(parts):
        known = FAMILIES.get(part, {}).values()
        if parts[-1] in known and identifier("_".join(parts[n:-1])) == parts[-1]:
            return part
    return parts[0]


def _groups(variants: Sequence[Perturbation]) -> dict[str, list[int]]:
    """Indices of the perturbations of each kind, with the unperturbed; deciding kind first."""
    still = [n for n, one in enumerate(variants) if one.kind == NONE]
    by_kind = {
        kind: [*still, *(n for n, one in enumerate(variants) if one.kind == kind)]
        for kind in (CHAIN, *KINDS)
    }
    known = {kind: chosen for kind, chosen in by_kind.items() if len(chosen) > len(still)}
    if CHAIN in known:
        return known
    return {ALL: list(range(len(variants))), **known}


def _stability(
    feature: str,
    kind: str,
    values: FloatArray,
    *,
    patients: Sequence[str],
    least: float,
    seed: int,
) -> Stability:
    whole = np.flatnonzero(np.isfinite(values).all(axis=1))
    kept = [patients[int(n)] for n in whole]
    return Stability(
        feature=feature,
        kind=kind,
        icc=_icc(values[whole], kept, seed),
        regions=len(kept),
        left_out=len(patients) - len(kept),
        perturbations=values.shape[1],
        least=least,
    )


def _icc(values: FloatArray, patients: Sequence[str], seed: int) -> Estimate:
    """ICC(1,1) with its interval."""
    if min(values.shape) < 2:
        nan = math.nan
        method = Method(what="ICC(1,1)", undefined="fewer than two regions or measurements")
        return Estimate(value=nan, low=nan, high=nan, n=len(values), method=method)
    if _resampled(patients):
        try:
            return icc(values, patients=patients, rng=np.random.default_rng(seed)).one_way
        except ContentError:  # hardly any variation: the interval without bootstrap
            pass
    return icc(values).one_way


def _resampled(patients: Sequence[str]) -> bool:
    return FEWEST <= len(set(patients)) < len(patients)


def _caveats(found: Sequence[Measured], patients: Sequence[str]) -> tuple[Caveat, ...]:
    regions, people = len(found), len(set(patients))
    said: list[tuple[str, str]] = []
    if regions < FEWEST:
        said.append(
            (
                "few-regions",
                f"Only {regions} regions: the intervals are too wide to tell any feature stable "
                f"or not; expected {FEWEST} at least, better {_ADVISED}.",
            )
        )
    elif regions < _ADVISED:
        said.append(
            (
                "fewer-than-advised",
                f"{regions} regions; {_ADVISED} or more are advised, so intervals are wide.",
            )
        )
    if people == 1 and regions > 1:
        said.append(
            (
                "one-patient",
                "All regions are of one image: the ICC is between these regions, and says nothing "
                "of other patients.",
            )
        )
    elif people < regions and not _resampled(patients):
        said.append(
            (
                "regions-not-independent",
                f"{regions} regions of only {people} patients are taken for independent: the "
                "intervals are too narrow.",
            )
        )
    vanished = sum(one.vanished > 0 for one in found)
    if vanished:
        said.append(
            (
                "region-vanished",
                f"{vanished} regions did not survive every perturbation and are left out of the "
                "kinds concerned: the result speaks for the larger ones.",
            )
        )
    return tuple(Caveat(code=code, text=text) for code, text in said)
