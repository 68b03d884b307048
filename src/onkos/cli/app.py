"""The command line as a whole: which commands there are, and how each of them ends.

A new command is one file in ``onkos.cli.commands``, its import here, and its line in
:data:`COMMANDS`. At its top a command's file imports only typer, the standard library,
``onkos.cli.options`` and ``onkos.core.errors``; all else inside the command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import click
import typer
from typer.core import TyperCommand

from onkos.cli import failure
from onkos.cli.commands.agree import agree
from onkos.cli.commands.arms import arms
from onkos.cli.commands.compare import compare
from onkos.cli.commands.demo import demo
from onkos.cli.commands.doctor import doctor
from onkos.cli.commands.evaluate import evaluate
from onkos.cli.commands.features import features
from onkos.cli.commands.fit import fit
from onkos.cli.commands.maps import maps
from onkos.cli.commands.opening import open_path
from onkos.cli.commands.predict import predict
from onkos.cli.commands.read import read
from onkos.cli.commands.readers import readers
from onkos.cli.commands.recipes import recipes
from onkos.cli.commands.report import report
from onkos.cli.commands.robustness import robustness
from onkos.core.version import __version__

#: In the order of the help.
COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "open": open_path,
    "fit": fit,
    "predict": predict,
    "compare": compare,
    "evaluate": evaluate,
    "readers": readers,
    "agree": agree,
    "features": features,
    "robustness": robustness,
    "maps": maps,
    "read": read,
    "report": report,
    "arms": arms,
    "recipes": recipes,
    "doctor": doctor,
}

app = typer.Typer(
    name="onkos",
    help="AI in tumour imaging: compare methods, read a study. For research use.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Command(TyperCommand):
    """A command whose plain help has no escapes: the library writes them for its coloured one."""

    def get_help(self, ctx: Any) -> str:
        """Text of ``--help``."""
        return super().get_help(ctx).replace("\\[", "[")


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Carry the options of the program itself."""
    if show_version:
        typer.echo(f"onkos {__version__}")
        raise typer.Exit


for _name, _command in COMMANDS.items():
    app.command(_name, cls=Command)(_command)


def main() -> None:
    """Entry point: run the command line and leave with its exit code."""
    sys.exit(failure.run(_command_line))


def _command_line() -> int:
    """Run Typer; its own usage errors keep their sentence and their exit code 2."""
    try:
        left = app(standalone_mode=False)  # the exit code, where a command left with one
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return left if isinstance(left, int) else 0
