"""Recipes that come with Onkos, and what is no recipe."""

from __future__ import annotations

import inspect

import pytest

from onkos.arms import ARMS
from onkos.classic.members import MEMBERS
from onkos.cohort.layouts import LAYOUTS
from onkos.core.errors import UsageError
from onkos.recipes import load, shipped

GOOD = 'title = "t"\nlayout = "busi"\narms = ["size-only"]\n'
TRIVIAL = {"size-only", "prevalence-only", "trivial"}
FACTS = {f"facts-{name}" for name in MEMBERS}


@pytest.mark.parametrize("name", shipped())
def test_every_recipe_names_what_exists_and_begins_with_the_arm_to_beat(name):
    recipe = load(name)
    assert recipe.title
    assert recipe.layout in LAYOUTS
    assert set(recipe.arms) <= set(ARMS) | FACTS
    assert len(set(recipe.arms)) == len(recipe.arms)
    assert recipe.arms[0] in TRIVIAL
    assert bool(set(recipe.arms) & FACTS) == bool(recipe.columns)
    assert len(set(recipe.columns)) == len(recipe.columns)
    assert recipe.folds >= 2
    if recipe.paper is not None:
        assert recipe.paper["doi"].startswith("10.")


def test_every_layout_is_asked_by_a_recipe_and_says_where_it_comes_from():
    assert {load(name).layout for name in shipped()} == set(LAYOUTS)
    for name, layout in LAYOUTS.items():
        told = inspect.getdoc(layout) or ""
        assert "CohortError" in told or "errors as" in told, name


def test_a_recipe_of_ones_own_is_read_from_its_file(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD + '\n[paper]\ndoi = "10.1/x"\n')
    recipe = load(str(tmp_path / "own.toml"))
    assert (recipe.layout, recipe.arms, recipe.folds) == ("busi", ("size-only",), 5)
    assert dict(recipe.paper or {}) == {"doi": "10.1/x"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "fold = 3\n", "fold"),
        ('layout = "busi"\narms = []\n', "title"),
        (GOOD + 'folds = "three"\n', "folds"),
        (GOOD + "columns = [1]\n", "columns"),
        ("title = ", "not TOML"),
    ],
)
def test_unknown_missing_and_mistyped_keys_are_refused(tmp_path, text, says):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=says):
        load(str(tmp_path / "own.toml"))


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="did you mean breast-us-busi"):
        load("breast-us-bus")
    with pytest.raises(UsageError, match="`onkos recipes` lists"):
        load("no-such-recipe")
