"""Core values through JSON and back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from onkos.core.card import Card, ErrorModel
from onkos.core.errors import ContentError, ModelError
from onkos.core.estimate import Estimate
from onkos.core.judgement import JudgedCase, Judgement
from onkos.core.method import Method
from onkos.core.plain import card_from_plain, from_plain, to_plain
from onkos.core.task import Task

CARD = Card(
    arm="supervoxel-forest",
    task="segment",
    site="Brain",
    modality="MR",
    roles=("t1c", "flair"),
    reference="t1c",
    tissues={1: "core", 2: "oedema"},
    intended_use="Research",
    cohort="phantom",
    patients=12,
    simulated=True,
    estimates={
        "dice:core": Estimate(value=0.8, low=0.7, high=0.9, n=12, method=Method(what="bootstrap"))
    },
    errors={"volume_ml:core": ErrorModel(mean_log_ratio=0.0, sd_log_ratio=0.1, n=12)},
    settings={"supervoxel_mm": 6.0},
)


def test_a_card_survives_json():
    assert card_from_plain(json.loads(json.dumps(to_plain(CARD)))) == CARD


def test_nan_becomes_null_and_comes_back():
    one = JudgedCase(case="a", patient="p", task=Task.SEGMENT, values={"dice:core": math.nan})
    made = Judgement(
        tasks=(Task.SEGMENT,), main={Task.SEGMENT: "dice:core"}, metrics={}, cases=(one,)
    )
    text = json.dumps(to_plain(made), allow_nan=False)
    back = from_plain(Judgement, json.loads(text))
    assert math.isnan(back.cases[0].values["dice:core"])
    assert (back.cases[0].patient, back.tasks) == ("p", (Task.SEGMENT,))
    assert back.main == {Task.SEGMENT: "dice:core"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"roles": "t1c"}, r"Card\.roles"),
        ({"patients": "12"}, r"Card\.patients"),
        ({"surprise": 1}, "unknown fields"),
        ({"tissues": {"one": "core"}}, "key 'one'"),
        ({"estimates": {"dice": {"value": 1}}}, "missing fields"),
    ],
)
def test_a_damaged_card_is_refused_by_field(change, says):
    with pytest.raises(ModelError, match=says):
        card_from_plain({**to_plain(CARD), **change})


def test_only_the_declared_types_are_built():
    with pytest.raises(ContentError):
        from_plain(Judgement, {"tasks": [], "cases": [{"__class__": "os.system"}]})
    with pytest.raises(ContentError):
        from_plain(Judgement, {"tasks": ["fly"], "main": {}, "metrics": {}})


@pytest.mark.parametrize("value", [np.zeros(3), object(), Path()])
def test_what_has_no_plain_form_is_refused(value):
    with pytest.raises(TypeError, match="no plain form"):
        to_plain({"x": value})


def test_an_interval_must_hold_its_value():
    with pytest.raises(ContentError, match="does not hold"):
        Estimate(value=0.9, low=0.1, high=0.8, n=3, method=Method(what="m"))
    with pytest.raises(ContentError, match="missed"):
        Estimate(value=0.9, low=0.1, high=1.0, n=3, method=Method(what="m"), missed=4)
