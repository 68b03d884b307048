"""The page of a reading: all that is in the reading, in order, and nothing run from it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from builders import PROVENANCE
from onkos.core.coding import VOLUME
from onkos.core.errors import ModelError
from onkos.core.estimate import Estimate
from onkos.core.findings import Lesion, Measurement
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.method import Method
from onkos.core.reading import Reading
from onkos.core.source import PHANTOM, Caveat
from onkos.core.study import Patient, Study
from onkos.core.volume import Volume
from onkos.phantom.brain import BrainPhantom, simulated
from onkos.report import reading as page
from onkos.report.words import method, ranged

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \u2028'\"&"


def test_every_measurement_stands_with_its_interval(ball_reading, parsed):
    text = parsed(page.render(ball_reading)).text
    measured = [m for lesion in ball_reading.lesions for m in lesion.measurements]
    assert len(measured) == 9
    for m in measured:
        assert m.interval is not None
        shown = ranged(m.value, *m.interval)
        assert f"{shown.value} ({shown.interval})" in text
        assert m.method in text


def test_a_measurement_without_interval_says_so(ball_reading, model, parsed):
    bare = [replace(m, interval=None) for m in ball_reading.lesions[0].measurements]
    lesion = replace(ball_reading.lesions[0], measurements=tuple(bare))
    text = parsed(page.render(replace(ball_reading, lesions=(lesion,)))).text
    assert text.count("no interval") >= 9
    assert "95 % intervals in brackets" not in text


def test_the_order_is_that_of_a_letter(head_reading):
    html = page.render(head_reading)
    order = [
        'class="answer"',
        'id="limits"',
        'id="pictures"',
        'id="measurements"',
        'id="viewer"',
        'id="model"',
        'id="provenance"',
    ]
    places = [html.index(mark) for mark in order]
    assert places == sorted(places)


def test_a_phantom_says_so_everywhere_and_a_patient_nowhere(ball_reading, parsed):
    html = page.render(ball_reading)
    assert "<title>Phantom: reading of P900, date not known</title>" in html
    assert 'class="phantom"' in html
    assert html.count(">phantom</text>") == html.count('class="plane"') > 0
    assert "Measurements (phantom)" in html
    assert json.loads(facts_of(parsed(html)))["phantom"] is True
    card = {**ball_reading.card, "simulated": False, "cohort": "real", "patients": 40}
    real = replace(ball_reading, caveats=(), card=card)
    html = page.render(real)
    visible = parsed(html).text.lower()
    assert "phantom" not in visible
    assert json.loads(facts_of(parsed(html)))["phantom"] is False


def facts_of(found) -> str:
    """The JSON that the viewer's script is given."""
    return next(
        text for attributes, text in found.scripts if attributes.get("id") == "viewer-facts"
    )


def test_caveats_model_and_provenance_are_all_there(ball_reading, parsed):
    caveat = Caveat(code="missing-slice", text="Two slices are missing.", where="T1c, 1.2.3")
    html = page.render(replace(ball_reading, caveats=(PHANTOM, caveat)))
    text = parsed(html).text
    assert "Two slices are missing. T1c, 1.2.3" in text
    assert "For research use; not for diagnosis or treatment." in text
    assert "Tests only." in text
    assert "was fitted on 6 phantom (simulated) patients of balls" in text
    assert f"Onkos {ball_reading.provenance.version}" in text
    assert ball_reading.provenance.created in text
    for name, estimate in ball_reading.card["estimates"].items():
        tissue = name.partition(":")[2]
        shown = ranged(estimate["value"], estimate["low"], estimate["high"])
        assert f"{shown.value} ({shown.interval})" in text
        assert tissue in text
        assert method(Method(**estimate["method"])) in text


def test_nothing_is_loaded_and_only_its_own_script_may_run(head_reading, parsed):
    html = page.render(head_reading)
    found = parsed(html)
    for _, attributes in found.elements:
        for name in ("src", "href", "srcset", "action", "style"):
            value = attributes.get(name, "#")
            assert value.startswith(("#", "data:")), (name, value[:80])
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"@import|url\(", html)
    policy = found.of("meta")[1]["content"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    running = [(a, t) for a, t in found.scripts if "type" not in a]
    assert len(running) == 2
    for _, text in running:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_what_files_say_never_becomes_markup(ball_reading, parsed):
    study = replace(
        ball_reading.study,
        patient=Patient(id=EVIL, name=EVIL, sex=EVIL, birth_date=EVIL),
        description=EVIL,
        uid=EVIL,
        accession=EVIL,
        volumes={EVIL: ball_reading.study.volume("flair")},
    )
    mask = replace(ball_reading.mask, names={1: EVIL, 2: "oedema"})
    lesion = replace(
        ball_reading.lesions[0],
        id=EVIL,
        where=replace(ball_reading.lesions[0].where, names={1: EVIL, 2: "oedema"}),
        measurements=tuple(
            replace(m, tissue=EVIL if m.tissue == "core" else m.tissue, method=EVIL)
            for m in ball_reading.lesions[0].measurements
        ),
    )
    made = replace(
        ball_reading,
        study=study,
        reference=EVIL,
        mask=mask,
        lesions=(lesion,),
        caveats=(Caveat(code=EVIL, text=EVIL, where=EVIL),),
        classes={EVIL: Estimate(value=0.5, low=0.1, high=0.9, n=1, method=EVIL)},
        stage=EVIL,
        card={**ball_reading.card, "intended_use": EVIL, "cohort": EVIL, "arm": EVIL},
        provenance=replace(ball_reading.provenance, settings={EVIL: EVIL}, inputs=(EVIL,)),
    )
    html = page.render(made)
    found = parsed(html)
    assert found.of("img") == []
    assert len(found.scripts) == len(parsed(page.render(ball_reading)).scripts)
    assert "\u2028" not in facts_of(parsed(html))
    assert json.loads(facts_of(parsed(html)))["roles"][0]["name"] == EVIL
    assert "alert(1)" in found.text


def test_twelve_lesions_are_pictured_and_the_rest_counted(ball_reading, parsed):
    lesions = tuple(
        replace(ball_reading.lesions[0], id=f"lesion-{number}") for number in range(1, 16)
    )
    html = page.render(replace(ball_reading, lesions=lesions))
    assert html.count('<figure class="lesion">') == 12
    assert html.count('class="plane"') == 36
    text = parsed(html).text
    assert "3 more lesions are listed below" in text
    assert "15 lesions outlined in a phantom. The largest measures" in text
    assert "Lesion 15" in text


def test_lesions_without_a_place_are_listed_and_not_pictured(ball_reading, parsed):
    measurement = Measurement(concept=VOLUME, value=3.14, ucum="ml", method="as reported")
    named = Lesion(
        id="lesion-1", where=None, kind="", site="", score=0.4, measurements=(measurement,)
    )
    html = page.render(replace(ball_reading, lesions=(named,), mask=None))
    text = parsed(html).text
    assert "Lesion 1 whole 3.14 no interval" in text
    assert "0.400 no interval" in text
    assert "The middle of the image" in text


def test_nothing_found_is_not_called_healthy(ball_reading, parsed):
    empty = replace(
        ball_reading.mask, labels=np.zeros(ball_reading.mask.geometry.shape, dtype=np.uint8)
    )
    html = page.render(replace(ball_reading, lesions=(), mask=empty))
    text = parsed(html).text
    assert "No lesion was outlined in a phantom. That does not show that there is none." in text
    assert html.count('class="plane"') == 3
    assert 'id="measurements"' not in html


def test_a_classifier_answers_with_its_likeliest_class(parsed):
    data = np.random.default_rng(0).integers(0, 255, (40, 30)).astype(np.uint8)
    grid = Geometry.picture(data.shape)
    volume = Volume(data=data, geometry=grid, modality="US", unit="1")
    made = Reading(
        study=Study(patient=Patient(id="P1"), volumes={"us": volume}),
        reference="us",
        mask=None,
        lesions=(),
        classes={
            "benign": Estimate(
                value=0.2, low=0.1, high=0.35, n=50, method=Method(what="Platt scaling")
            ),
            "malignant": Estimate(
                value=0.8, low=0.65, high=0.9, n=50, method=Method(what="Platt scaling")
            ),
        },
        stage=None,
        caveats=(),
        card={},
        provenance=PROVENANCE,
    )
    html = page.render(made)
    text = parsed(html).text
    assert "Likeliest class: malignant, probability 0.800 (0.650–0.900)." in text
    assert "benign 0.200 (0.100–0.350) 95 % interval; Platt scaling; n = 50" in text
    assert "No model card came with this reading." in text
    assert 'id="viewer"' not in html
    assert "<script" not in html
    assert "script-src &#39;none&#39;" in html


def test_an_outlined_picture_of_unknown_pixel_size(ball_reading):
    labels = np.zeros((50, 40), dtype=np.uint8)
    labels[10:20, 12:30] = 1
    grid = Geometry.picture(labels.shape)
    mask = Mask(labels=labels, geometry=grid, names={1: "core"})
    volume = Volume(data=labels * 100, geometry=grid, modality="US", unit="1")
    study = replace(ball_reading.study, volumes={"us": volume})
    lesion = Lesion(id="lesion-1", where=mask, kind="tumour", site="")
    html = page.render(
        replace(ball_reading, study=study, reference="us", mask=mask, lesions=(lesion,))
    )
    assert html.count('class="outline"') == 1
    assert 'class="bar"' not in html


def test_a_card_that_is_none_is_refused(ball_reading):
    with pytest.raises(ModelError, match="is not a model card"):
        page.render(replace(ball_reading, card={"arm": "x"}))


def test_accessible_names_and_links_that_lead_somewhere(head_reading, parsed):
    found = parsed(page.render(head_reading))
    ids = found.ids()
    assert len(ids) == len(set(ids))
    for attributes in found.of("a"):
        assert attributes["href"].removeprefix("#") in ids
    for attributes in found.of("section"):
        assert attributes["aria-labelledby"] in ids
    drawings = [a for a in found.of("svg") if a.get("class") == "plane"]
    assert drawings
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 20
    assert found.of("html")[0]["lang"] == "en"


@pytest.mark.slow
def test_four_channels_of_a_whole_head_stay_below_15_megabytes(reading_of):
    patient = simulated(BrainPhantom(), seed=3, number=2)
    html = page.render(reading_of(patient))
    assert len(html.encode()) < 15e6
    assert html.count('id="viewer-image-') == 4
