"""The page of one reading: the answer, its limits, pictures, measurements, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onkos.core.card import Card
from onkos.core.findings import Lesion, Measurement
from onkos.core.plain import card_from_plain
from onkos.core.reading import Reading
from onkos.core.source import PHANTOM
from onkos.core.volume import Volume
from onkos.report import measures, page, words
from onkos.report.colours import on_black
from onkos.report.display import scale_of
from onkos.report.pictures import Picture, flat_picture, grey, lesion_pictures, overview
from onkos.report.viewer import viewer_of
from onkos.report.words import Shown

PICTURED = 12

_NOT_CALIBRATED = "as the model gives it, not calibrated; no interval is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Pictures of one lesion, or of the whole image where no lesion is listed."""

    title: str
    finding: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number of the table with the number of the footnote that says how it was measured."""

    shown: Shown
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured on a lesion, or on one tissue of it; ``first`` opens a lesion."""

    lesion: str
    tissue: str
    first: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Measurements with their units in the header and their methods as footnotes."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Notes:
    """Footnotes, each once, numbered from 1."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def render(reading: Reading) -> str:
    """Make the report of a reading: one HTML page that opens from disk without a network.

    The order is that of a letter: the answer in a sentence, what limits it, the pictures, the
    measurements with their intervals, the images to scroll through, the model, the provenance.

    Raises
    ------
    ModelError
        If the reading's model card is not one.
    """
    card = card_from_plain(dict(reading.card)) if reading.card else None
    site = card.site.lower() if card else ""
    colours = _colours(reading)
    viewer = viewer_of(reading, site=site, colours=colours)
    figures = _figures(reading, site, colours)
    phantom = page.is_phantom(reading.caveats)
    return page.fill(
        "reading.html.j2",
        style=("page.css", "viewer.css"),
        script=("drawing.js", "viewer.js") if viewer else (),
        title=_title(reading, phantom=phantom),
        reading=reading,
        phantom=phantom,
        who=_who(reading),
        subject=_subject(reading),
        answer=_answer(reading.lesions, reading, phantom=phantom),
        intended_use=card.intended_use if card else "",
        caveats=[caveat for caveat in reading.caveats if caveat.code != PHANTOM.code],
        figures=figures,
        unpictured=max(0, len(_placed(reading)) - PICTURED),
        colours=colours,
        table=_table(reading.lesions),
        classes={name: words.estimated(each) for name, each in reading.classes.items()},
        viewer=viewer,
        viewer_facts=page.embedded({**viewer.facts, "phantom": phantom}) if viewer else "",
        card=card,
        metrics=_metrics(card),
        facts=page.said(reading.provenance, _identifiers(reading)),
    )


def _colours(reading: Reading) -> dict[str, str]:
    """A colour for each tissue of the outline and of the lesions."""
    names = dict.fromkeys(reading.mask.names.values() if reading.mask else ())
    for lesion in reading.lesions:
        names |= dict.fromkeys(getattr(lesion.where, "names", {}).values())
    return {name: on_black(number) for number, name in enumerate(names)}


def _title(reading: Reading, *, phantom: bool) -> str:
    kind = "Phantom: reading of" if phantom else "Reading of"
    return f"{kind} {reading.study.patient.id or 'a patient without id'}, {_date(reading)}"


def _date(reading: Reading) -> str:
    return reading.study.date.isoformat() if reading.study.date else "date not known"


def _who(reading: Reading) -> str:
    """What the files say of the patient, beside the id."""
    patient = reading.study.patient
    born = patient.birth_date
    if len(born) == 8 and born.isdigit():
        born = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    parts = (words.person(patient.name), patient.sex, f"born {born}" if born else "")
    return ", ".join(part for part in parts if part)


def _subject(reading: Reading) -> str:
    """What was read: the examination, its images and the model."""
    study = reading.study
    seen = [
        f"{role}{' (outlined on)' if role == reading.reference and reading.mask else ''}"
        for role in study.volumes
    ]
    kinds = words.listed(list(dict.fromkeys(volume.modality for volume in study.volumes.values())))
    model = f" Read by {reading.provenance.model}." if reading.provenance.model else ""
    described = f"{study.description}. " if study.description else ""
    return f"{described}{kinds}: {', '.join(seen)}.{model}"


def _answer(lesions: Sequence[Lesion], reading: Reading, *, phantom: bool) -> str:
    """The answer in one or two sentences."""
    of_a = " in a phantom" if phantom else ""
    stage = f" Stage {reading.stage}." if reading.stage else ""
    if not lesions and reading.mask is None:
        likeliest = max(reading.classes.items(), key=lambda item: item[1].value, default=None)
        if likeliest is None:
            return f"The model gave no answer{of_a}.{stage}"
        name, estimate = likeliest
        shown = words.estimated(estimate)
        return f"Likeliest class{of_a}: {name}, probability {shown}.{stage}"
    if not lesions:
        return f"No lesion was outlined{of_a}. That does not show that there is none.{stage}"
    largest = [_in_words(m) for m in lesions[0].measurements if not m.tissue]
    name = "It measures" if len(lesions) == 1 else "The largest measures"
    known = any(m.interval for m in lesions[0].measurements)
    brackets = ", 95 % intervals in brackets" if known else ""
    measured = f" {name}{brackets}: {'; '.join(largest)}." if largest else ""
    found = f"{words.counted(len(lesions), 'lesion')} outlined{of_a}."
    return found + measured + stage


def _in_words(measurement: Measurement) -> str:
    shown = _shown(measurement)
    unit = words.unit(measurement.ucum)
    name = measurement.concept.meaning.lower()
    return f"{name} {shown.value} {unit} ({shown.interval})".replace("  ", " ")


def _shown(measurement: Measurement) -> Shown:
    if measurement.interval is None:
        return Shown(
            value=words.number(measurement.value),
            interval=words.NO_INTERVAL,
            method=measurement.method,
        )
    return words.ranged(measurement.value, *measurement.interval, method=measurement.method)


def _placed(reading: Reading) -> list[Lesion]:
    return [lesion for lesion in reading.lesions if lesion.where is not None]


def _figures(reading: Reading, site: str, colours: Mapping[str, str]) -> tuple[Figure, ...]:
    """Pictures of the first lesions; of the whole image if there are none or it is flat."""
    volume = reading.study.volume(reading.reference)
    window = scale_of(grey(volume), site=site).windows[0]
    if volume.geometry.ndim == 2:
        drawn = flat_picture(volume, reading.mask, window=window, colours=colours)
        return (Figure(title="The picture", finding="", pictures=(drawn,)),)
    lesions = _placed(reading)
    shown: Volume = grey(volume)
    if not lesions:
        drawn3 = overview(shown, reading.mask, window=window, colours=colours)
        return (Figure(title="The middle of the image", finding="", pictures=drawn3),)
    return tuple(
        Figure(
            title=_named(lesion),
            finding="; ".join(_in_words(m) for m in lesion.measurements[:1]),
            pictures=lesion_pictures(lesion, shown, reading.mask, window=window, colours=colours),
        )
        for lesion in lesions[:PICTURED]
    )


def _named(lesion: Lesion) -> str:
    return lesion.id.replace("-", " ").capitalize()


def _table(lesions: Sequence[Lesion]) -> Table:
    """All measurements: a row a lesion and a tissue, a column a concept and unit."""
    every = [m for lesion in lesions for m in lesion.measurements]
    columns = list(dict.fromkeys((m.concept.meaning, m.ucum) for m in every))
    scored = any(lesion.score is not None for lesion in lesions)
    notes = _Notes()
    rows = []
    for lesion in lesions:
        tissues = list(dict.fromkeys(("", *(m.tissue for m in lesion.measurements))))
        for tissue in tissues:
            mine = {
                (m.concept.meaning, m.ucum): m for m in lesion.measurements if m.tissue == tissue
            }
            cells = [_cell(mine.get(column), notes) for column in columns]
            if scored:
                cells.append(_score(lesion, notes) if not tissue else None)
            rows.append(
                Row(
                    lesion=_named(lesion),
                    tissue=tissue or "whole",
                    first=not tissue,
                    cells=tuple(cells),
                )
            )
    titles = [f"{meaning} ({words.unit(ucum)})".replace(" ()", "") for meaning, ucum in columns]
    return Table(
        columns=(*titles, *(["Score"] if scored else [])),
        rows=tuple(rows),
        notes=tuple(notes.texts),
    )


def _cell(measurement: Measurement | None, notes: _Notes) -> Cell | None:
    if measurement is None:
        return None
    text = f"{measurement.concept.meaning}: {measurement.method}"
    return Cell(shown=_shown(measurement), note=notes.number(text))


def _score(lesion: Lesion, notes: _Notes) -> Cell | None:
    if lesion.score is None:
        return None
    shown = Shown(value=words.number(lesion.score), interval=words.NO_INTERVAL)
    return Cell(shown=shown, note=notes.number(f"Score: {_NOT_CALIBRATED}"))


def _metrics(card: Card | None) -> list[tuple[str, Shown, int, int]]:
    """How the model did on patients it had not seen: metric, estimate, n, missed."""
    if card is None:
        return []
    return [
        (measures.named(name), words.estimated(each), each.n, each.missed)
        for name, each in card.estimates.items()
    ]


def _identifiers(reading: Reading) -> dict[str, str]:
    study = reading.study
    return {
        "Study Instance UID": study.uid,
        "Accession number": study.accession,
        "Outlined on": reading.reference,
    }
