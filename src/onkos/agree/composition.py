"""Several readers held against each other: one composition for every kind of reading."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from onkos.agree import measurements, outlines, ratings
from onkos.agree.consensus import Keep
from onkos.agree.part import LEVEL, Part, Settings
from onkos.cohort.outlines import Outlined
from onkos.cohort.readings import ReadingTable
from onkos.cohort.scales import Measured, Rated, said
from onkos.core.agreement import Agreement
from onkos.core.mask import Mask
from onkos.core.reading import Provenance
from onkos.core.source import Caveat
from onkos.core.version import __version__
from onkos.report.figures import Drawing

DEFAULT = Settings()
Readings = Rated | Measured | Outlined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreed:
    """An agreement and the figures of its report."""

    agreement: Agreement
    drawings: tuple[Drawing, ...]


def _drop(_case: str, _method: str, _mask: Mask) -> None:
    """Keep no consensus mask."""


def agree(
    readings: Readings,
    *,
    settings: Settings = DEFAULT,
    seed: int = 0,
    keep: Keep = _drop,
    done: Callable[[int, int], None] = lambda _finished, _total: None,
) -> Agreed:
    """Tell how far several readers agree on the same cases, every number with its interval.

    Parameters
    ----------
    readings
        Categories (:func:`onkos.cohort.scales.rated`), measurements
        (:func:`onkos.cohort.scales.measured`) or outlines
        (:func:`onkos.cohort.outlines.find_outlines`).
    settings
        Weights of an ordinal scale, where STAPLE looks.
    seed
        Of the resampling.
    keep
        Takes (case, method, mask) of every consensus outline as soon as it is made; they are
        not held, so that a thousand cases fit in memory.
    done
        Called after each case of outlines with (finished, all).

    Returns
    -------
    Agreed
        The agreement and figures. Where a reader read a case several times, readers are
        compared on their first readings, and each with themself on all.

    Raises
    ------
    ContentError, GeometryError
        If outlines cannot be read or do not share a grid, with the case and the reader.
    """
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if isinstance(readings, Rated):
        made = ratings.part(readings, settings)
    elif isinstance(readings, Measured):
        made = measurements.part(readings, seed=seed)
    else:
        made = outlines.part(readings, settings, seed=seed, keep=keep, done=done)
    return Agreed(
        agreement=_agreement(readings, made, settings, seed, started), drawings=made.drawings
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Who read what: for each case the readers who did."""

    name: str
    readers: tuple[str, ...]
    patients: int
    read: tuple[tuple[str, ...], ...]
    readings: int
    repeats: int
    inputs: tuple[str, ...]


def _agreement(
    readings: Readings, made: Part, settings: Settings, seed: int, started: str
) -> Agreement:
    counted = _counted(readings)
    unread = {name: sum(name not in of for of in counted.read) for name in counted.readers}
    chosen: dict[str, object] = {"level": LEVEL}
    kind = "outlines"
    scale, unit = "", ""
    categories: tuple[str, ...] = ()
    told: tuple[Caveat, ...] = ()
    if isinstance(readings, Outlined):
        chosen["within"] = settings.within
    else:
        told = (*readings.table.caveats, *_repeated(readings.table, counted.repeats))
    if isinstance(readings, Measured):
        kind, unit = "measurements", readings.unit
    elif isinstance(readings, Rated):
        kind, scale = "ratings", readings.scale
        categories = tuple(said(category) for category in readings.categories)
        chosen |= {"weights": settings.weights} if scale == "ordinal" else {}
    return Agreement(
        name=counted.name,
        kind=kind,
        readers=counted.readers,
        patients=counted.patients,
        cases=len(counted.read),
        repeats=counted.repeats,
        readings=counted.readings,
        missing=sum(unread.values()),
        unread=unread,
        complete=sum(len(of) == len(counted.readers) for of in counted.read),
        main=made.main,
        found=made.found,
        review=made.review,
        caveats=(*_gaps(unread, counted.read), *told, *made.caveats),
        provenance=Provenance(
            version=__version__,
            model="",
            weights_sha256="",
            inputs=counted.inputs,
            settings=chosen,
            seed=seed,
            created=started,
        ),
        scale=scale,
        unit=unit,
        categories=categories,
        each=made.each,
        consensus=made.consensus,
    )


def _counted(readings: Readings) -> _Counted:
    if isinstance(readings, Outlined):
        read = tuple(tuple(of) for of in readings.cases.values())
        return _Counted(
            name=readings.name,
            readers=readings.readers,
            patients=len(read),
            read=read,
            readings=sum(map(len, read)),
            repeats=1,
            inputs=readings.digests,
        )
    table = readings.table
    times = Counter((case, reader) for case, reader, _ in table.cells)
    return _Counted(
        name=table.path.name,
        readers=table.readers,
        patients=len(set(table.patients)),
        read=tuple(
            tuple(name for n, name in enumerate(table.readers) if times[case, n])
            for case in range(len(table.cases))
        ),
        readings=len(table.cells),
        repeats=max(times.values()),
        inputs=(table.sha256,),
    )


def _gaps(unread: Mapping[str, int], read: Sequence[tuple[str, ...]]) -> Iterator[Caveat]:
    """Say who did not read what, and how many cases only one reader read."""
    gaps = {reader: count for reader, count in unread.items() if count}
    if gaps:
        shown = ", ".join(f"{reader} {count}" for reader, count in list(gaps.items())[:6])
        more = f" and {len(gaps) - 6} further readers" if len(gaps) > 6 else ""
        text = (
            f"Not read, of {len(read)} cases: {shown}{more}. A missing reading agrees with nothing."
        )
        yield Caveat(code="missing-readings", text=text)
    alone = sum(len(of) == 1 for of in read) if len(unread) > 1 else 0
    nobody = sum(not of for of in read)
    if alone:
        text = f"{alone} of {len(read)} cases were read by one reader only and cannot agree."
        yield Caveat(code="one-reader-cases", text=text)
    if nobody:
        text = f"{nobody} of {len(read)} cases were read by nobody."
        yield Caveat(code="unread-cases", text=text)


def _repeated(table: ReadingTable, repeats: int) -> Iterator[Caveat]:
    """Say which of several readings counts between readers, and how many are not there."""
    read = {(case, reader) for case, reader, _ in table.cells}
    due = len(read) * repeats
    if len(table.cells) < due:
        text = (
            f"{due - len(table.cells)} of {due} repeated readings are not there: those cases were "
            f"read fewer than {repeats} times by that reader."
        )
        yield Caveat(code="missing-repeats", text=text)
    if repeats > 1 and len(table.readers) > 1:
        text = (
            "Some cases were read several times by one reader: between readers the first reading "
            f"counts ({table.repeats[0]}, where it is there), within a reader all do."
        )
        yield Caveat(code="first-reading", text=text)
