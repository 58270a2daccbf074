"""`leaddone sandbox`: a LeadDone on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from leaddone_pipeline.cli.words import counted, say, show

if TYPE_CHECKING:
    from leaddone_pipeline.sandbox.app import RunningSandbox

__all__ = ["CommandWithFaults", "sandbox"]

_CLIENT_ID = "sandbox-shop"
_SECRET = "whsec_sandbox"  # noqa: S105 - opens nothing but this sandbox


class CommandWithFaults(TyperCommand):
    """A command whose help ends with the faults; they are loaded when they are asked for."""

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's, under changing names
        from leaddone_pipeline.sandbox import Fault  # noqa: PLC0415 - loads httpx

        with formatter.section("Faults (NAME, or NAME:3 for the first 3 requests only)"):
            formatter.write_dl([(fault.value, fault.description) for fault in Fault])


def sandbox(
    *,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="port on 127.0.0.1; 0 takes a free one")
    ] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="a fault to switch on, may be given several times", show_default=False
        ),
    ] = None,
) -> None:
    """Run a LeadDone on this machine until Ctrl-C, with checked signatures and faults on request.

    Example:
      leaddone sandbox --port 21000 --fault lost_answer:1

    Paste the lines that it prints into another terminal, and every command there talks to it.
    What it was sent is kept in memory, and gone when it ends.
    """
    from leaddone_pipeline.sandbox import Platform  # noqa: PLC0415 - loads httpx
    from leaddone_pipeline.sandbox.app import run  # noqa: PLC0415 - needs the extra `sandbox`

    platform = Platform(credentials={_CLIENT_ID: _SECRET}, faults=fault or [])
    run(platform, port=port, on_ready=_introduce)
    say(f"The sandbox has ended; it had {counted(len(platform.orders(_CLIENT_ID)), 'order')}.")


def _introduce(running: RunningSandbox) -> None:
    show(f"export LEADDONE_CLIENT_ID={_CLIENT_ID}")
    show(f"export LEADDONE_WEBHOOK_SECRET={_SECRET}")
    show(f"export LEADDONE_BASE_URL={running.base_url}")
    sys.stdout.flush()
    say("The sandbox answers; Ctrl-C ends it.")
