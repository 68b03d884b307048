"""Readings, comparisons, and a way to read a page back, for the tests of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from onkos.compare import compare
from onkos.core.mask import Mask
from onkos.core.reading import Comparison, Prediction, Reading
from onkos.core.study import Study
from onkos.phantom.brain import BrainPhantom, simulated
from onkos.read import read, with_errors
from toys import ThresholdArm, blob, toy_cohort

_VOID = {"meta", "link", "br", "input", "rect", "path", "circle", "line", "image"}


@dataclass
class Page:
    """Elements as (tag, attributes), and the text a person sees, in order."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, attributes))
        if tag not in _VOID:
            self.open.append(tag)
        if tag in ("script", "style"):
            self.page.scripts.append((attributes, ""))

    def handle_startendtag(self, tag, attrs) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            attributes, before = self.page.scripts[-1]
            self.page.scripts[-1] = (attributes, before + data)
        else:
            self.page.text += data + " "


class TrueModel:
    """Answers with the outline that is true, under the card of another model."""

    def __init__(self, card, truth: Mask) -> None:
        self.card = card
        self.truth = truth

    def predict(self, study: Study) -> Prediction:
        return Prediction(mask=self.truth, reference=self.card.reference)


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """Three arms on twelve patients: two alike, one worse."""
    arms = [
        ThresholdArm(),
        ThresholdArm(name="twin", shift=0.5),
        ThresholdArm(name="poor", family="trivial", shift=23.0),
    ]
    return compare(toy_cohort(12), arms, folds=3, seed=1)


@pytest.fixture(scope="session")
def model(comparison):
    """The threshold arm with its errors on unseen patients."""
    fitted = ThresholdArm().fit(toy_cohort(6).cases, rng=np.random.default_rng(0))
    return with_errors(fitted, comparison.arms[0])


@pytest.fixture(scope="session")
def ball_reading(model) -> Reading:
    """A ball in an oblique grid of one image."""
    return read(model, blob(900)[0])


@pytest.fixture(scope="session")
def phantom_patient():
    """A whole head in four contrasts, on an oblique grid."""
    return simulated(BrainPhantom(shape=(60, 66, 44)), seed=3, number=2)


@pytest.fixture(scope="session")
def reading_of(model):
    """Read a phantom and find exactly what is there."""

    def made(patient) -> Reading:
        roles = ("t1", "t1c", "t2", "flair")
        card = replace(model.card, roles=roles, reference="t1c", site="brain")
        return read(TrueModel(card, patient.truth), patient.study)

    return made


@pytest.fixture(scope="session")
def head_reading(phantom_patient, reading_of) -> Reading:
    """A reading of the phantom head."""
    return reading_of(phantom_patient)


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Page]:
    """Parse a page; fails where elements are not closed in order."""

    def parse(html: str) -> Page:
        parser = _Parser()
        parser.feed(html)
        parser.close()
        assert parser.open == [], f"never closed: {parser.open}"
        parser.page.text = " ".join(parser.page.text.split())
        return parser.page

    return parse
