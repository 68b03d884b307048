"""What there is: arms and recipes, for people and for machines."""

from __future__ import annotations

import json

from onkos.recipes import shipped


def test_arms_are_listed_with_task_family_and_wants(run):
    code, said, _ = run("arms", "--json")
    assert code == 0
    found = {one["name"]: one for one in json.loads(said)["arms"]}
    assert found["size-only"]["task"] == "classify"
    assert found["size-only"]["family"] == "trivial"
    assert found["facts-svm"]["wants"].startswith("columns of the table")
    assert found["supervoxel-forest"]["task"] == "segment"
    assert found["brightest-blobs"]["task"] == "detect"
    assert all(one["wants"] for one in found.values())
    code, said, _ = run("arms", "--task", "detect", "--json")
    assert {one["task"] for one in json.loads(said)["arms"]} == {"detect"}


def test_an_unknown_task_is_a_usage_error(run):
    code, _, complaint = run("arms", "--task", "fly")
    assert code == 2
    assert "expected one of" in complaint


def test_recipes_are_listed_with_question_data_and_arms(run):
    code, said, _ = run("recipes", "--json")
    assert code == 0
    found = {one["name"]: one for one in json.loads(said)["recipes"]}
    assert set(found) == set(shipped())
    busi = found["breast-us-busi"]
    assert (busi["task"], busi["data"], busi["target"]) == ("classify", "busi", "label")
    assert "words-svm" in busi["arms"]
    code, said, _ = run("recipes")
    assert code == 0
    assert "breast-us-busi" in said
