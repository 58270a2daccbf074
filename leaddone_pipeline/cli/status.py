"""`leaddone status`: how an account stands, from the ledger alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.words import show, show_json, show_table

if TYPE_CHECKING:
    from leaddone_pipeline.ledger import Status

__all__ = ["status"]


def status(
    *,
    shop: Annotated[str | None, typer.Option(metavar="NAME", help="records under this label only")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Count the account's orders and statuses by outcome, and name what needs a person.

    Example:
      leaddone status --shop medina
    """
    account = opening.account()
    from leaddone_pipeline.ledger import read_status  # noqa: PLC0415 - loads pandas

    with opening.existing_ledger() as ledger:
        number = opening.account_number(account, ledger)
        read = ledger.read(
            lambda connection: read_status(connection, ledger.now(), account_id=number, shop=shop)
        )
        place = ledger.place
    known = _described(read, shop=shop, base_url=account.base_url, client_id=account.client_id, place=place)
    if as_json:
        show_json(known)
    else:
        _show(known)


def _described(
    read: Status, *, shop: str | None, base_url: str, client_id: str, place: str
) -> dict[str, Any]:
    run = read.last_run
    return {
        "shop": shop,
        "base_url": base_url,
        "client_id": client_id,
        "ledger": place,
        "orders": {str(outcome): count for outcome, count in read.counts.get("orders", {}).items()},
        "tracking": {str(outcome): count for outcome, count in read.counts.get("tracking", {}).items()},
        "oldest_pending": _oldest(read.oldest_pending),
        "oldest_unconfirmed": _oldest(read.oldest_unconfirmed),
        "cancelled_late": list(read.cancelled_late),
        "repeats": read.repeats,
        "probe": read.probe_order_id,
        "last_run": None
        if run is None
        else {"began_at": _time(run[0]), "ended_at": _time(run[1]), "stopped": run[2]},
    }


def _oldest(found: tuple[str, str] | None) -> dict[str, str] | None:
    return None if found is None else {"order_id": found[0], "of": found[1]}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _show(known: dict[str, Any]) -> None:
    label = f"shop {known['shop']}" if known["shop"] else "all shops"
    show(f"account   {known['client_id']} at {known['base_url']}, {label}")
    show(f"ledger    {known['ledger']}")
    show(f"last run  {_run_words(known['last_run'])}\n")
    counted = [
        (kind, outcome, count) for kind in ("orders", "tracking") for outcome, count in known[kind].items()
    ]
    show_table(("kind", "outcome", "count"), counted)
    for name, hint in (
        ("oldest_pending", "the next delivery of its file sends it"),
        ("oldest_unconfirmed", "look into LeadDone, then `leaddone resolve`"),
    ):
        if known[name]:
            oldest = known[name]
            show(f"{name.replace('_', ' ')}: {oldest['order_id']} (of {oldest['of'] or 'no day'}); {hint}")
    if known["repeats"]:
        from leaddone_pipeline.ledger import Repeats  # noqa: PLC0415 - loads pandas

        hint = (
            "; `leaddone doctor --send-test-order` finds it out"
            if known["repeats"] == Repeats.UNCLEAR
            else ""
        )
        show(f"LeadDone {known['repeats']} (an order that it gets twice){hint}")
    if known["probe"]:
        show(f"whether LeadDone recognises a repeat is tried with order {known['probe']}; run its file again")
    if known["cancelled_late"]:
        show(f"cancelled after LeadDone accepted them, call LeadDone: {', '.join(known['cancelled_late'])}")


def _run_words(run: dict[str, Any] | None) -> str:
    if run is None:
        return "none"
    if run["ended_at"] is None:
        return f"began {run['began_at']}, has not ended"
    return f"ended {run['ended_at']}" + (f", stopped: {run['stopped']}" if run["stopped"] else "")
