"""`leaddone sign`: the signature of a file's bytes."""

from __future__ import annotations

import os
import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.words import show

__all__ = ["sign"]


def sign(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="a request's body, byte for byte; - reads stdin", show_default=False
        ),
    ],
) -> None:
    """Print the X-Webhook-Signature of exactly these bytes, with LEADDONE_WEBHOOK_SECRET.

    Example:
      leaddone sign body.json
    """
    from leaddone_pipeline import webhook  # noqa: PLC0415 - loads httpx

    secret = opening.webhook_secret()
    show(webhook.sign(_content(file), secret))


def _content(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise typer.BadParameter(f"{file} cannot be read: {reason}; check the name") from None
