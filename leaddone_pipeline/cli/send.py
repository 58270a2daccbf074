"""`leaddone send orders` and `leaddone send tracking`: the options, as a form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leaddone_pipeline.cli.asked import Asked
from leaddone_pipeline.cli.files import checked_table_path
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.settings import DEFAULT_SHOP, DeliverySettings, Guarantee

__all__ = ["orders", "tracking"]

_DEFAULTS = DeliverySettings()

_Files = Annotated[
    list[str],  # not Path, which would make `s3:/exports` of an address
    typer.Argument(
        metavar="FILE",
        help="CSV, Excel, OpenDocument, JSON or Parquet, also in .gz or .zip; a folder, a glob, an address "
        "such as s3://...; what is inside after #, as in orders.xlsx#Mars",
        show_default=False,
    ),
]
_Shop = Annotated[str, typer.Option(metavar="NAME", help="label of the shop in the results")]
_Source = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_PATH",
        help="a built-in source or a YAML of your own; else recognised from the header",
    ),
]
_Links = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", callback=checked_table_path, help="write the results table here (.csv, .parquet)"
    ),
]
_Quarantine = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        callback=checked_table_path,
        help="write refused rows here (.csv, .parquet); else to FILE.quarantine.csv in the working directory",
    ),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="read, check, sign, send nothing, and say what would leave")
]
_Limit = Annotated[int | None, typer.Option(metavar="N", min=1, help="take the first N records only")]
_BatchSize = Annotated[int, typer.Option(metavar="N", min=1, help="records in one request, at most")]
_MaxConcurrency = Annotated[int, typer.Option(metavar="N", min=1, help="requests at once, at most")]
_Guarantee = Annotated[
    Guarantee,
    typer.Option(
        help="records whose answer never came: sent again once that is known to be safe, or held for a person"
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="print the counts as one JSON object")]


def orders(
    files: _Files,
    *,
    shop: _Shop = DEFAULT_SHOP,
    source: _Source = None,
    links: _Links = None,
    quarantine: _Quarantine = None,
    dry_run: _DryRun = False,
    limit: _Limit = None,
    batch_size: _BatchSize = _DEFAULTS.batch_size,
    max_concurrency: _MaxConcurrency = _DEFAULTS.max_concurrency,
    guarantee: _Guarantee = _DEFAULTS.guarantee,
    as_json: _Json = False,
) -> None:
    """Send the orders of an export to LeadDone; orders already accepted are skipped.

    Example:
      leaddone send orders exports/orders-2026-11-23.csv --shop medina --links links.csv

    Exit codes:
      0  every valid order is accepted, and no row was refused
      1  stopped: credentials, address, LeadDone down, ledger unreachable; the rest is pending
      2  usage or settings, or no file could be read
      3  finished, with quarantined, rejected, unconfirmed or pending orders, a file that could
         not be read, an order cancelled too late, or most orders skipped as already paid
    """
    asked = Asked(
        kind=Kind.ORDERS,
        files=tuple(files),
        shop=shop,
        source=source,
        links=links,
        quarantine=quarantine,
        limit=limit,
        settings=DeliverySettings(
            guarantee=guarantee, batch_size=batch_size, max_concurrency=max_concurrency
        ),
        as_json=as_json,
    )
    _run(asked, dry_run=dry_run)


def tracking(
    files: _Files,
    *,
    shop: _Shop = DEFAULT_SHOP,
    source: _Source = None,
    links: _Links = None,
    quarantine: _Quarantine = None,
    dry_run: _DryRun = False,
    limit: _Limit = None,
    batch_size: _BatchSize = _DEFAULTS.batch_size,
    max_concurrency: _MaxConcurrency = _DEFAULTS.max_concurrency,
    guarantee: _Guarantee = _DEFAULTS.guarantee,
    as_json: _Json = False,
) -> None:
    """Send the statuses of courier files to LeadDone; of each order the newest, when it is news.

    Example:
      leaddone send tracking courier/tracking-2026-11-23.csv --shop medina

    Exit codes:
      0  every valid status is accepted, unchanged, superseded or held back, and no row was refused
      1  stopped: credentials, address, LeadDone down, ledger unreachable; the rest is pending
      2  usage or settings, or no file could be read
      3  finished, with quarantined, rejected, unconfirmed or pending statuses, or a file that
         could not be read
    """
    asked = Asked(
        kind=Kind.TRACKING,
        files=tuple(files),
        shop=shop,
        source=source,
        links=links,
        quarantine=quarantine,
        limit=limit,
        settings=DeliverySettings(
            guarantee=guarantee, batch_size=batch_size, max_concurrency=max_concurrency
        ),
        as_json=as_json,
    )
    _run(asked, dry_run=dry_run)


def _run(asked: Asked, *, dry_run: bool) -> None:
    _check_targets(asked)
    from leaddone_pipeline.cli import delivering, dry_running  # noqa: PLC0415 - load pandas

    raise typer.Exit(dry_running.run(asked) if dry_run else delivering.run(asked))


def _check_targets(asked: Asked) -> None:
    """Refuse to write over a file that is being read: it may be the only copy of the shop's orders."""
    targets = (("--quarantine", asked.quarantine), ("--links", asked.links))
    if not any(path for _, path in targets):
        return
    from leaddone_pipeline.intake.readers import expand  # noqa: PLC0415 - loads pyarrow

    here = [file for file in asked.files if "://" not in file.lower().removeprefix("file://")]
    tables = [place for table in expand(here) for place in (table, table.rpartition("#")[0]) if place]
    being_read = {Path(table).resolve() for table in tables}
    for option, path in targets:
        if path is not None and path.resolve() in being_read:
            raise typer.BadParameter(
                f"{path} is being read, and {option} would overwrite it; name another place"
            )
