"""The command line: thin commands over the three verbs.

``app`` wires the commands, ``commands`` holds one file for each; the modules beside them do what
a command needs and are imported by it when it runs, so that help and version stay quick.
"""

from onkos.cli.app import main

__all__ = ["main"]
