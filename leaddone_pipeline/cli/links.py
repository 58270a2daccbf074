"""`leaddone links`: the results table, from the ledger alone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.files import checked_table_path, write_table
from leaddone_pipeline.cli.words import counted, say

__all__ = ["links"]


def links(
    *,
    output: Annotated[
        Path,
        typer.Option(metavar="PATH", callback=checked_table_path, help="the table to write (.csv, .parquet)"),
    ],
    shop: Annotated[str | None, typer.Option(metavar="NAME", help="orders under this label only")] = None,
) -> None:
    """Write the results table: every recorded order of the account, its outcome and LeadDone's id.

    Example:
      leaddone links --output links.csv
    """
    from leaddone_pipeline.ledger import reading  # noqa: PLC0415 - loads pandas

    account = opening.account()
    with opening.existing_ledger() as ledger:
        number = opening.account_number(account, ledger)
        frame = ledger.read(
            lambda connection: reading.links(connection, ledger.now(), account_id=number, shop=shop)
        )
    write_table(frame, output)
    say(f"{counted(len(frame), 'order')} written to {output}.")
