"""How long before the scan a tracer was given, told from clocks that may contradict each other."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.errors import ContentError
from onkos.io.dicom.frames import Frame
from onkos.io.dicom.header import Header

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_MIDNIGHT = datetime.time()
_LONGEST_SCAN_S = 2 * _HOUR_S  # from the start of a series to its first acquisition
_REMADE_S = 6 * _HOUR_S  # later than this after the scan, a series' time is told not to be used
_BEFORE_INJECTION_S = 600.0  # how long a dynamic scan may run before the tracer comes
_HALF_LIVES = 6.0  # after which too little is left to measure
_OVERNIGHT_HALF_LIVES = 4.0  # where only a clock says that the tracer came the day before
_SHORT_LIVED_S = 3 * _HOUR_S  # given on the day of the scan, whatever the dates say
_SAME_CLOCK_S = 60.0
_ZONE = re.compile(r"[+-]\d{4}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Seconds from injection to the time the activity is corrected to, and what is doubtful."""

    seconds: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """A moment, and what is doubtful about having chosen it."""

    at: datetime.datetime
    doubts: tuple[str, ...] = ()


def since_injection(frames: Sequence[Frame], agent: Header, half_life_s: float) -> Elapsed:
    """Time from injection to the start of the scan.

    The scan starts at the series' time, unless acquisition began before it (a series made anew
    later keeps a later time) or the series' time was removed: then at the first acquisition. The
    injection is at Radiopharmaceutical Start DateTime, else at Start Time on the day that makes
    sense.

    Raises
    ------
    ContentError
        If a time is missing, clocks contradict each other, or the time between cannot be.
    """
    start = _start(frames)
    zone = frames[0].header.text("TimezoneOffsetFromUTC")
    dated = _dated(agent.text("RadiopharmaceuticalStartDateTime"), zone)
    clock = _time(agent.text("RadiopharmaceuticalStartTime"))
    doubts = list(start.doubts)
    if dated and dated.time() == _MIDNIGHT:
        dated = None  # its time was removed, its day is no more to be trusted
        clock = clock or _MIDNIGHT
        doubts.append("the date of injection bears no time; Radiopharmaceutical Start Time is used")
    if dated is None and clock is None:
        raise ContentError("the time of injection is missing")
    if dated is not None and _possible(seconds := (start.at - dated).total_seconds(), half_life_s):
        if clock is not None and _apart(clock, dated.time()) > _SAME_CLOCK_S:
            raise ContentError(
                f"two clocks tell the injection, {dated:%H:%M} and {clock:%H:%M}, and which of "
                "them is right is not known"
            )
        return Elapsed(seconds=seconds, doubts=(*doubts, *_before(seconds)))
    told = clock or (dated.time() if dated else _MIDNIGHT)
    if told == _MIDNIGHT:
        raise ContentError("the time of injection is 000000, as if it had been removed")
    if dated is not None:
        seconds = (start.at - dated).total_seconds()
        hours = f"injection lies {seconds / _HOUR_S:.1f} h before acquisition"
        if abs(seconds) < _DAY_S - _LONGEST_SCAN_S or half_life_s > _SHORT_LIVED_S:
            raise ContentError(f"{hours}; half-life or times cannot be")
        doubts.append(f"by the dates the {hours}, so only the clocks are used")
    seconds = _by_clock(start.at.time(), told, half_life_s)
    return Elapsed(seconds=seconds, doubts=(*doubts, *_before(seconds)))


def _start(frames: Sequence[Frame]) -> _Clock:
    """When the scan started; refuses clocks that contradict each other."""
    header = frames[0].header
    day = header.text("SeriesDate") or header.text("StudyDate")
    series = _moment(day or _some_day(frames), header.text("SeriesTime"))
    times = [_acquired(frame.header, day) for frame in frames]
    acquired = min((time for time in times if time is not None), default=None)
    if series is None and acquired is None:
        raise ContentError("the time of acquisition is missing")
    removed = [one is not None and one.time() == _MIDNIGHT for one in (series, acquired)]
    if series is None or acquired is None:
        if any(removed):
            raise ContentError("the time of the scan is 000000, as if it had been removed")
        return _Clock(at=series or acquired or datetime.datetime.min)
    if all(removed):
        raise ContentError("the times of the scan are 000000, as if they had been removed")
    gap = (acquired - series).total_seconds()
    if removed[0] and gap > _LONGEST_SCAN_S:
        doubt = "Series Time is 000000, as if it had been removed; Acquisition Time is used"
        return _Clock(at=acquired, doubts=(doubt,))
    if removed[1] and gap < -_LONGEST_SCAN_S:
        doubt = "Acquisition Time is 000000, as if it had been removed; Series Time is used"
        return _Clock(at=series, doubts=(doubt,))
    if gap < 0:
        doubt = f"the series was made {-gap / _HOUR_S:.0f} h later; Acquisition Time is used"
        return _Clock(at=acquired, doubts=(doubt,) if -gap > _REMADE_S else ())
    if gap <= _LONGEST_SCAN_S:
        return _Clock(at=series)
    if gap > _DAY_S - _LONGEST_SCAN_S and 0 <= gap % _DAY_S <= _LONGEST_SCAN_S:
        at = series + datetime.timedelta(days=gap // _DAY_S)
        return _Clock(at=at, doubts=("Series and Acquisition Date differ; the latter is used",))
    raise ContentError(
        f"the series starts {gap / _HOUR_S:.1f} h before its first acquisition; one of the clocks "
        "is wrong"
    )


def _acquired(header: Header, day: str) -> datetime.datetime | None:
    whole = header.text("AcquisitionDateTime")
    time = header.text("AcquisitionTime") or whole[8:]
    return _moment(header.text("AcquisitionDate") or whole[:8] or day, time)


def _some_day(frames: Sequence[Frame]) -> str:
    """A day for clocks without one: where dates were removed only the time of day counts."""
    days = (frame.header.text("AcquisitionDate") for frame in frames)
    return next((day for day in days if day), "20000101")


def _possible(seconds: float, half_life_s: float) -> bool:
    return -_BEFORE_INJECTION_S <= seconds <= _HALF_LIVES * half_life_s


def _by_clock(start: datetime.time, injected: datetime.time, half_life_s: float) -> float:
    """Seconds from one time of day to another, over midnight where that alone makes sense."""
    seconds = _of_day(start) - _of_day(injected)
    most = _HALF_LIVES
    if seconds < -_BEFORE_INJECTION_S:
        seconds, most = seconds + _DAY_S, _OVERNIGHT_HALF_LIVES
        if seconds > most * half_life_s:
            raise ContentError(
                f"injection at {injected:%H:%M} lies after the start of the scan at {start:%H:%M}; "
                "half-life or times cannot be"
            )
    if seconds > most * half_life_s:
        raise ContentError(
            f"injection lies {seconds / _HOUR_S:.1f} h or {seconds / half_life_s:.0f} half-lives "
            "before acquisition; half-life or times cannot be"
        )
    return seconds


def _before(seconds: float) -> tuple[str, ...]:
    if seconds >= 0:
        return ()
    return (
        f"injection stands {-seconds:.0f} s after the start of the series, as in a dynamic scan; "
        "the start of the series is used",
    )


def _apart(one: datetime.time, other: datetime.time) -> float:
    """Seconds between two times of day, the shorter way round the clock."""
    gap = abs(_of_day(one) - _of_day(other))
    return min(gap, _DAY_S - gap)


def _of_day(time: datetime.time) -> float:
    return time.hour * _HOUR_S + time.minute * 60.0 + time.second


def _dated(text: str, zone: str) -> datetime.datetime | None:
    """Date and time of injection, in the zone of the images where both zones are stated."""
    own = _ZONE.search(text)
    moment = _moment(text[:8], text[8:])
    if moment and own and _ZONE.fullmatch(zone):
        moment += datetime.timedelta(minutes=_minutes(zone) - _minutes(own.group()))
    return moment


def _minutes(zone: str) -> int:
    return int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5]))


def _time(text: str) -> datetime.time | None:
    moment = _moment("20000101", text)
    return moment.time() if moment else None


def _moment(date: str, time: str) -> datetime.datetime | None:
    """DICOM date and time as one moment; None where either is missing or malformed."""
    digits = re.match(r"\d*", time.replace(":", ""))
    clock = (digits.group() if digits else "").ljust(6, "0")[:6]
    try:
        moment = datetime.datetime.strptime(date.replace(".", "") + clock, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment if digits and digits.group() else None
