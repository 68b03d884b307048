"""``onkos arms``."""

from __future__ import annotations

from typing import Annotated

import typer

from onkos.cli.options import Json


def arms(
    task: Annotated[str, typer.Option(help="Only those of a task, e.g. classify.")] = "",
    json: Json = False,
) -> None:
    """List the methods there are: task, family, and what data each of them wants."""
    from onkos.arms.catalogue import catalogue
    from onkos.cli import show
    from onkos.core.errors import UsageError
    from onkos.core.plain import to_plain
    from onkos.core.task import Task

    if task and task not in list(Task):
        raise UsageError(f"task {task!r}: expected one of {[str(one) for one in Task]}")
    found = [one for one in catalogue() if task in ("", one.task)]
    page = show.listing(
        ("arm", "task", "family", "wants"),
        [(one.name, str(one.task), one.family, one.wants) for one in found],
    )
    show.tell(json, {"arms": to_plain(found)}, page)
