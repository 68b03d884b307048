"""``onkos recipes``."""

from __future__ import annotations

from onkos.cli.options import Json


def recipes(json: Json = False) -> None:
    """List the comparisons that come with Onkos: question, data set, target, arms."""
    from onkos.cli import show
    from onkos.core.plain import to_plain
    from onkos.recipes import load, shipped

    found = {name: load(name) for name in shipped()}
    plain = [
        {
            "name": name,
            "task": one.task,
            "title": one.title,
            "data": one.layout,
            "target": one.target,
            "arms": to_plain(one.arms),
            "paper": to_plain(one.paper or {}),
        }
        for name, one in found.items()
    ]
    rows = [(name, one.layout, one.title) for name, one in found.items()]
    show.tell(json, {"recipes": plain}, show.listing(("recipe", "data", "question"), rows))
