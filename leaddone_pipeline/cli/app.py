"""The commands as one tree, and what becomes of an error: a few lines and an exit code, never a traceback.

A command's docstring is its help. What a command needs is imported when it runs, so that `leaddone --help` is
quick and no command but `demo` loads dagster.
"""

from __future__ import annotations

import inspect
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from leaddone_pipeline.cli import demo, doctor, links, person, sandbox, send, sign, sources, status
from leaddone_pipeline.cli.exits import INTERRUPTED, TERMINATED, code_of
from leaddone_pipeline.cli.words import say, say_error
from leaddone_pipeline.errors import LeadDoneError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["app", "main"]


class _Terminated(KeyboardInterrupt):
    """SIGTERM; handled as Ctrl-C is, so that nothing of customers stays in a temporary file."""


def _terminate(_signal: int, _frame: object) -> None:
    raise _Terminated


class _Guarded(TyperGroup):
    """Runs a command, and turns what ends it into words on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click's Context, which newer typers carry under another name
        try:
            try:
                return super().invoke(ctx)
            finally:
                # Here, and not at Python's end, where nobody could catch that the reader has gone.
                sys.stdout.flush()
        except LeadDoneError as error:
            say_error(error)
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt as interrupt:
            say("Interrupted. What was sent is recorded, what was not sent is pending: run again to go on.")
            raise typer.Exit(TERMINATED if isinstance(interrupt, _Terminated) else INTERRUPTED) from None
        except BrokenPipeError:
            _close_pipes()
            raise typer.Exit(INTERRUPTED) from None


def _close_pipes() -> None:
    """Nobody reads on; without this, Python would complain about it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _group(text: str, *, guarded: bool = False) -> typer.Typer:
    return typer.Typer(
        cls=_Guarded if guarded else TyperGroup,
        help=text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        # A traceback with local variables would show customers' data, and the secret.
        pretty_exceptions_enable=False,
    )


def _add(
    group: typer.Typer, name: str, command: Callable[..., None], cls: type[TyperCommand] = TyperCommand
) -> None:
    text = _help(command)
    brief = re.split("[,;:\n]", text, maxsplit=1)[0]
    group.command(name, help=text, short_help=brief, cls=cls)(command)


def _help(command: Callable[..., None]) -> str:
    """A docstring as click shows it; a backspace keeps the lines of a paragraph as they are."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(f"\b\n{one}" if "\n  " in one else one for one in paragraphs)


app = _group("Deliver a shop's orders and statuses to LeadDone, never twice.", guarded=True)
_send = _group("Read files, send what LeadDone does not have yet, and say what became of it.")
app.add_typer(_send, name="send")
_add(app, "demo", demo.demo)
_add(_send, "orders", send.orders)
_add(_send, "tracking", send.tracking)
_add(app, "status", status.status)
_add(app, "links", links.links)
_add(app, "resolve", person.resolve)
_add(app, "forget", person.forget)
_add(app, "sign", sign.sign)
_add(app, "doctor", doctor.doctor)
_add(app, "sandbox", sandbox.sandbox, cls=sandbox.CommandWithFaults)
_add(app, "sources", sources.sources)


def main() -> None:
    """Run `leaddone` with the arguments of this process."""
    signal.signal(signal.SIGTERM, _terminate)
    app(prog_name="leaddone")
