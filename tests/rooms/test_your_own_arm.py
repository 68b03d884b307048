"""docs/your-own-arm.md: the arm on the page is compared, kept, loaded and explained as it says."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import onkos
from onkos.core.case import known_truths
from onkos.core.desk import PLAIN, Desk
from onkos.core.errors import CohortError, ModelError
from onkos.core.protocols import Arm, Explains, Model
from onkos.core.split import Fold
from onkos.work.piece import Piece

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs" / "your-own-arm.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
PRINTED = re.findall(r"^```text\n(.*?)^```$", TEXT, re.M | re.S)
ARM, COHORT, COMPARE, KEEP, EXPLAIN = BLOCKS
MODULES = ("ring_contrast", "nodules")
THREE = onkos.Plan(folds=3, seed=1)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """Where the stranger works: the two modules of the page, and nothing else."""
    (tmp_path / "ring_contrast.py").write_text(ARM)
    (tmp_path / "nodules.py").write_text(COHORT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in MODULES:
        sys.modules.pop(name, None)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def imported(name: str) -> ModuleType:
    """Import a module as its file is now."""
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def few(n: int = 12) -> onkos.Cohort:
    cohort = imported("nodules").cohort
    return replace(cohort, cases=cohort.cases[:n])


def ran(block: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(compile(block, "your-own-arm.md", "exec"), found)  # noqa: S102 - our own page
    return found


@pytest.mark.slow
def test_the_arm_is_compared_beside_others_and_prints_what_the_page_says(folder, capsys):
    found = ran(COMPARE)["found"]
    assert capsys.readouterr().out == PRINTED[0]
    assert [arm.name for arm in found.arms] == ["ring-contrast", "size-only", "prevalence-only"]
    assert not any(arm.failed for arm in found.arms)
    assert {(test.a, test.b) for test in found.tests} >= {("ring-contrast", "size-only")}


def test_a_model_is_kept_and_loaded_as_the_page_says(folder, capsys):
    made = ran(KEEP)
    assert capsys.readouterr().out == PRINTED[1]
    assert made["again"] == made["model"].with_card(made["again"].card)
    assert {path.name for path in (folder / "model").iterdir()} == {"card.json", "weights.skops"}


def test_a_model_whose_weights_were_exchanged_is_refused(folder):
    ring = imported("ring_contrast")
    model = ring.RingContrast().fit(few().cases, rng=np.random.default_rng(0), desk=PLAIN)
    model.save(folder / "model")
    replace(model, slope=9.0).save(folder / "other")
    (folder / "other" / "weights.skops").replace(folder / "model" / "weights.skops")
    with pytest.raises(ModelError, match=r"not those of card\.json"):
        ring.load(folder / "model")


def test_onkos_itself_does_not_load_an_arm_it_does_not_have(folder):
    model = imported("ring_contrast").RingContrast().fit(few().cases, rng=None, desk=PLAIN)
    model.save(folder / "model")
    with pytest.raises(ModelError, match="'ring-contrast'"):
        onkos.load_model(folder / "model")


def key(folder: Path, source: str, **settings: float) -> str:
    (folder / "ring_contrast.py").write_text(source)
    arm = imported("ring_contrast").RingContrast(**settings)
    cases = few().cases
    fold = Fold(number=0, train=cases[:8], test=cases[8:])
    return Piece(arm=arm, fold=fold, seed=0, cohort="nodules-1").key


def test_a_change_of_a_line_or_a_setting_changes_the_key_and_nothing_else_does(folder):
    before = key(folder, ARM)
    line = "return np.array(volume.data[inside].mean() - volume.data[ring].mean())"
    assert line in ARM
    assert key(folder, ARM) == before
    assert key(folder, ARM, ring_mm=5.0) != before
    assert key(folder, ARM.replace(line, line.replace("[ring].mean", "[ring].max"))) != before
    assert key(folder, ARM) == before


@dataclass
class Counting:
    """A cache that counts what had to be made."""

    kept: dict[str, object] = field(default_factory=dict)
    made: int = 0

    def recall(self, key, make):
        if key not in self.kept:
            self.made += 1
            self.kept[key] = make()
        return self.kept[key]


def test_the_cache_saves_work_changes_no_answer_and_the_desk_is_told(folder):
    ring, cases = imported("ring_contrast"), few().cases
    cache, told = Counting(), []
    desk = Desk(cache=cache, tell=lambda *said: told.append(said))
    twice = [ring.RingContrast().fit(cases, rng=None, desk=desk) for _ in range(2)]
    plain = ring.RingContrast().fit(cases, rng=None, desk=PLAIN)
    assert twice == [plain, plain]
    assert cache.made == len(cases)
    assert told[-1] == (len(cases), len(cases), "measuring contrast")
    ring.RingContrast(ring_mm=6.0).fit(cases, rng=None, desk=desk)
    assert cache.made == 2 * len(cases)


def test_a_cohort_without_outlines_is_refused_before_anything_runs(folder):
    cohort = few()
    bare = tuple(replace(c, truths=known_truths(target=c.target)) for c in cohort.cases)
    arm = imported("ring_contrast").RingContrast()
    with pytest.raises(CohortError, match="case P0: ring-contrast needs an outline"):
        onkos.compare(replace(cohort, cases=bare), [arm], plan=THREE)


def test_with_the_two_members_of_explains_the_report_says_what_it_rests_on(folder):
    place = "    def with_card(self, card):"
    assert ARM.count(place) == 1
    extra = "from onkos.core.comparison import FoldImportance\n"
    members = textwrap.indent(EXPLAIN, "    ")
    source = ARM.replace(place, f"{members}\n{place}")
    source = source.replace("from onkos.core.reading", f"{extra}from onkos.core.reading")
    (folder / "ring_contrast.py").write_text(source)
    ring, cohort = imported("ring_contrast"), few(60)
    model = ring.RingContrast().fit(cohort.cases, rng=None, desk=PLAIN)
    assert isinstance(model, Explains)
    (arm,) = onkos.compare(cohort, [ring.RingContrast()], plan=THREE).arms
    (feature,) = arm.reliance.features
    assert feature.name == "ring contrast"
    assert feature.loss.low > 0


def test_every_member_of_the_protocols_is_explained():
    tables = TEXT.partition("## What each member is for")[2].partition("\n**Say")[0]
    said = set(re.findall(r"^\| `(\w+)` \|", tables, re.M))
    assert said == {name for one in (Arm, Model) for name in vars(one) if not name.startswith("_")}
    assert all(f"desk.{one.name}" in TEXT for one in fields(Desk))


def test_every_room_the_page_sends_to_is_there():
    rooms = REPOSITORY / "src" / "onkos"
    named = re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", TEXT.partition("## Other tasks")[2])
    assert len(named) > 8
    for name in named:
        assert (rooms / name).exists(), name


def test_the_arm_is_short():
    assert sum(bool(line.strip()) for line in ARM.splitlines()) <= 90
