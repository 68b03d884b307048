"""What arms there are: name, task, family, and what data each of them wants."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.arms import ARMS
from onkos.arms.classify import FACTS, Classifier
from onkos.arms.classify.several import OfSeveral
from onkos.core.protocols import Arm
from onkos.core.task import Task

_OF_TASK = {
    Task.SEGMENT: "images of roles that all cases have, with reference outlines (a mask column)",
    Task.DETECT: "an image a case, with lesions.csv beside the table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One arm: ``wants`` says in a few words what a cohort must have for it."""

    name: str
    task: Task
    family: str
    wants: str


def catalogue() -> tuple[Entry, ...]:
    """All arms that can be named, those on columns of a table included."""
    found = [
        Entry(name=name, task=arm.task, family=arm.family, wants=_wants(arm))
        for name, arm in ARMS.items()
    ]
    facts = "columns of the table, named with --columns, and a target column"
    found += [Entry(name=name, task=Task.CLASSIFY, family="classic", wants=facts) for name in FACTS]
    return tuple(found)


def _wants(arm: Arm) -> str:
    if isinstance(arm, OfSeveral):
        return "several plain pictures a case, and a target column"
    if isinstance(arm, Classifier):
        needed = arm.source.wants
        return needed if "target" in needed else f"{needed}, and a target column"
    return _OF_TASK[arm.task]
