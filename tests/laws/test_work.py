"""Keys of kept work, executors, kills: what changes an outcome changes its key, nothing else."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from onkos.cohort.splits import folds_by_patient
from onkos.compare import Execution, Plan, compare
from onkos.core.desk import PLAIN, Desk
from onkos.work.cache import DiskCache
from onkos.work.executor import Processes
from onkos.work.piece import Piece
from toys import ThresholdArm, toy_cohort

ARM = """
from dataclasses import dataclass

from toys import ThresholdArm
from {helper} import LIFT


@dataclass(frozen=True)
class Shifted(ThresholdArm):
    name: str = "mine"
    # a remark
    shift: float = LIFT
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two modules that a user wrote."""
    monkeypatch.syspath_prepend(tmp_path)
    helper, arm = f"helper_{tmp_path.name}", f"arm_{tmp_path.name}"
    helper, arm = (name.replace("-", "_") for name in (helper, arm))
    files = {helper: "LIFT = 3.0\n", arm: ARM.format(helper=helper)}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    yield tmp_path, helper, arm
    for name in (helper, arm):
        sys.modules.pop(name, None)


def _key(module: str) -> str:
    arm = importlib.import_module(module).Shifted()
    fold = folds_by_patient(toy_cohort(4), 2, rng=np.random.default_rng(0))[0]
    return Piece(arm=arm, fold=fold, seed=0, cohort="balls").key


def test_a_change_of_any_line_of_an_arm_or_of_what_it_imports_changes_its_key(project):
    folder, helper, arm = project
    keys = [_key(arm)]
    for name in (arm, helper):
        path = folder / f"{name}.py"
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            changed = [*lines[:number], f"{line}  #", *lines[number + 1 :]]
            path.write_text("\n".join(changed) + "\n")
            keys.append(_key(arm))
        path.write_text("\n".join(lines) + "\n")
    assert len(keys) > 10
    assert len(set(keys)) == len(keys)


def test_settings_seed_and_files_change_the_key_and_threads_do_not():
    fold, other = folds_by_patient(toy_cohort(4), 2, rng=np.random.default_rng(0))
    plain = Piece(arm=ThresholdArm(), fold=fold, seed=0, cohort="balls")
    same = Piece(arm=ThresholdArm(), fold=fold, seed=0, cohort="balls")
    assert plain.key == same.key
    unlike = [
        replace(plain, arm=ThresholdArm(shift=1.0)),
        replace(plain, seed=1),
        replace(plain, cohort="other files"),
        replace(plain, fold=other),
        replace(plain, repeat=1),
    ]
    assert len({plain.key, *(one.key for one in unlike)}) == 6


def test_threads_and_device_take_up_what_is_kept(tmp_path):
    ran = []

    @dataclass(frozen=True)
    class Told(ThresholdArm):
        def fit(self, cases, *, rng, desk=PLAIN):
            ran.append(desk.threads)
            return super().fit(cases, rng=rng, desk=desk)

    def at(threads: int) -> Execution:
        return Execution(store=tmp_path, desk=Desk(threads=threads))

    plan = Plan(folds=2)
    one = compare(
        toy_cohort(4),
        [Told()],
        plan=plan,
        execution=Execution(store=tmp_path, desk=Desk(threads=1)),
    )
    two = compare(
        toy_cohort(4),
        [Told()],
        plan=plan,
        execution=Execution(store=tmp_path, desk=Desk(threads=4)),
    )
    assert ran == [1, 1]
    assert one.arms[0].metrics == two.arms[0].metrics


def test_a_changed_method_is_never_answered_from_the_past(project, tmp_path):
    folder, helper, arm = project
    store = Execution(store=tmp_path / "store")

    def dice() -> float:
        module = importlib.import_module(arm)
        made = compare(toy_cohort(4), [module.Shifted()], plan=Plan(folds=2), execution=store)
        return made.arms[0].metrics["dice:core"].value

    before = dice()
    (folder / f"{helper}.py").write_text("LIFT = 22.0  # another value\n")
    for name in (helper, arm):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    assert dice() < before - 0.1


@pytest.mark.slow
def test_order_and_number_of_processes_change_no_digit(tmp_path):
    cohort, arms, plan = (
        toy_cohort(4),
        [ThresholdArm(), ThresholdArm("off", shift=9.0)],
        Plan(folds=2),
    )
    alone = compare(cohort, arms, plan=plan)
    spread = compare(
        cohort,
        list(reversed(arms)),
        plan=plan,
        execution=Execution(store=tmp_path, executor=Processes(count=2)),
    )
    assert {arm.name: arm.metrics for arm in alone.arms} == {
        arm.name: arm.metrics for arm in spread.arms
    }


def test_a_cache_makes_each_thing_once_and_stays_within_its_bound(tmp_path):
    made: Counter[str] = Counter()
    cache = DiskCache(root=tmp_path, most_bytes=40_000)

    def recalled(key: str) -> float:
        def make():
            made[key] += 1
            return {"values": np.full(1000, float(len(made)))}

        return float(cache.recall(key, make)["values"][0])

    first = recalled("a")
    assert recalled("a") == first
    assert made["a"] == 1
    for number in range(12):
        recalled(f"b{number}")
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npz")) <= 40_000
    last = next(iter(sorted(tmp_path.rglob("*.npz"), key=lambda p: -p.stat().st_mtime_ns)))
    last.write_bytes(b"damaged")
    assert recalled("b11") == recalled("b11")
    assert made["b11"] == 2


KILLED = """
import sys
from pathlib import Path
from onkos.compare import Execution, Plan, compare
from toys import ThresholdArm, toy_cohort

compare(
    toy_cohort(6), [ThresholdArm(), ThresholdArm("off", shift=9.0)], plan=Plan(folds=3),
    execution=Execution(store=Path(sys.argv[1])),
)
"""


@pytest.mark.slow
def test_a_kill_loses_at_most_one_fold(tmp_path):
    here = str(Path(importlib.import_module("toys").__file__ or "").parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    running = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("*/fold.json"))) < 2:
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = len(list(tmp_path.glob("*/fold.json")))
    told = []
    compare(
        toy_cohort(6),
        [ThresholdArm(), ThresholdArm("off", shift=9.0)],
        plan=Plan(folds=3),
        execution=Execution(
            store=tmp_path, desk=Desk(tell=lambda done, total, what: told.append((done, total)))
        ),
    )
    assert told[0] == (kept, 6)
    assert not list(tmp_path.rglob(".onkos-*"))
