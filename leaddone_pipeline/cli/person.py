"""`leaddone resolve` and `leaddone forget`: a person's word on orders (delivery.md, rules 7 and 24)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.exits import DONE, LEFT_OVER
from leaddone_pipeline.cli.words import counted, say, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from leaddone_pipeline.ledger import Ledger

__all__ = ["forget", "resolve"]

_OrderIds = Annotated[
    list[str], typer.Argument(metavar="ORDER_ID", help="ids as the shop writes them", show_default=False)
]


def resolve(
    order_ids: _OrderIds,
    *,
    accepted: Annotated[
        str | None,
        typer.Option(
            metavar="INTERNAL_ID", help="LeadDone has the order, under this id (one order at a time)"
        ),
    ] = None,
    rejected: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="LeadDone does not have it and must not get it in this form; the reason is kept: no names in it",
        ),
    ] = None,
    resend: Annotated[
        bool,
        typer.Option("--resend", help="LeadDone does not have it: send it with the next run of its file"),
    ] = False,
) -> None:
    """Settle unconfirmed orders by a person's word, after a look into LeadDone.

    Example:
      leaddone resolve ATL-10231 --accepted PLT-56789
      leaddone resolve ATL-10232 ATL-10233 --resend

    Say exactly one of --accepted, --rejected and --resend; --resend takes rejected orders too.
    Exit code 3: an order was not settled; it is named with the reason.
    """
    from leaddone_pipeline.ledger import State, person  # noqa: PLC0415 - loads pandas
    from leaddone_pipeline.webhook import mask_all  # noqa: PLC0415 - as above

    ids = list(dict.fromkeys(order_ids))
    _check_wish(ids, accepted=accepted, rejected=rejected, resend=resend)
    to = State.PENDING if resend else State.REJECTED if accepted is None else State.ACCEPTED
    account = opening.account()
    with opening.existing_ledger(read_only=False) as ledger:
        number = opening.account_number(account, ledger)
        _take_over(ledger, number)
        work = partial(
            person.resolve,
            now=ledger.now(),
            account_id=number,
            order_ids=ids,
            to=to,
            internal_id=accepted,
            reason=mask_all(rejected or "", ()),
        )
        refused = ledger.write(work)
    settled = len(ids) - len(refused)
    show(f"{counted(settled, 'order')} settled as {'to be sent again' if resend else to.value}.")
    if resend and settled:
        say("The ledger keeps no customer data: send the file again that holds them, and they leave with it.")
    raise typer.Exit(_tell(refused))


def forget(order_ids: _OrderIds) -> None:
    """Erase a customer's orders and statuses from the ledger; they are never sent again.

    Example:
      leaddone forget ATL-10231

    Exit code 3: an order was not erased; it is named with the reason.
    """
    from leaddone_pipeline.ledger import person  # noqa: PLC0415 - loads pandas

    ids = list(dict.fromkeys(order_ids))
    account = opening.account()
    with opening.existing_ledger(read_only=False) as ledger:
        number = opening.account_number(account, ledger)
        _take_over(ledger, number)
        refused = ledger.write(partial(person.forget, now=ledger.now(), account_id=number, order_ids=ids))
    show(f"{counted(len(ids) - len(refused), 'order')} erased; order id and internal id stay as a tombstone.")
    show(_ELSEWHERE)
    raise typer.Exit(_tell(refused))


_ELSEWHERE = """\
The person may still stand in:
  - LeadDone itself: ask its support
  - the exports and courier files, and their copies
  - quarantine files (*.quarantine.csv, or what --quarantine named)
  - the tables of the IO manager: <shop>.orders, <shop>.orders_quarantine, <shop>.courier_updates_quarantine
  - tables with ids only: <shop>.courier_updates, <shop>.order_links, <shop>.tracking_results, what --links or
    --output named"""


def _take_over(ledger: Ledger, account_id: int) -> None:
    """Claims of dead runs become records of unknown fate (rule 12), as `status` shows them: a person may settle them.

    None is held here: under at_most_once the next run holds what is unconfirmed before it sends anything.
    """
    from leaddone_pipeline.contract import Kind  # noqa: PLC0415 - costs start-up time
    from leaddone_pipeline.delivery.decide import MAX_UNKNOWN_ATTEMPTS  # noqa: PLC0415 - loads pandas
    from leaddone_pipeline.ledger import leasing  # noqa: PLC0415

    def work(connection: Connection) -> None:
        for kind in Kind:
            leasing.take_over(
                connection,
                ledger.now(),
                account_id=account_id,
                kind=kind,
                hold=False,
                enough=MAX_UNKNOWN_ATTEMPTS,
            )

    ledger.write(work)


def _check_wish(ids: list[str], *, accepted: str | None, rejected: str | None, resend: bool) -> None:
    said = [accepted is not None, rejected is not None, resend]
    if sum(said) != 1:
        raise typer.BadParameter("say exactly one of --accepted INTERNAL_ID, --rejected REASON and --resend")
    if accepted is not None and len(ids) != 1:
        raise typer.BadParameter(
            "--accepted takes exactly one order id, since each order has its own internal id"
        )
    if accepted is not None and not accepted.strip():
        raise typer.BadParameter("--accepted needs LeadDone's internal id")
    if rejected is not None and not rejected.strip():
        raise typer.BadParameter("--rejected needs a reason, it stands in the results table")


def _tell(refused: Mapping[str, Any]) -> int:
    for order_id, reason in refused.items():
        say(f"{order_id}: {reason}.")
    return LEFT_OVER if refused else DONE
