"""`leaddone doctor`: whether everything is in place for a delivery, and what to do where it is not."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import typer

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.exits import DONE, STOPPED, code_of
from leaddone_pipeline.cli.words import show
from leaddone_pipeline.errors import LeadDoneError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leaddone_pipeline.settings import Account, Credentials
    from leaddone_pipeline.webhook import Answer

__all__ = ["doctor"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look has found; `remedy` says what to do, empty where all is well."""

    what: str
    found: str
    remedy: str = ""
    code: int = DONE


def doctor(
    *,
    send_test_order: Annotated[
        bool,
        typer.Option(
            "--send-test-order",
            help="send one clearly marked order, twice, and see whether LeadDone recognises the repeat",
        ),
    ] = False,
) -> None:
    """Check the settings, the address, the certificate, the credentials and the ledger.

    Example:
      leaddone doctor

    Without --send-test-order no order is sent: LeadDone gets one signed request with an empty list.
    Exit code 1: LeadDone or the ledger cannot be used. Exit code 2: a setting is missing or wrong.
    """
    findings = list(_look(send_test_order=send_test_order))
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        show(f"{'fault' if finding.remedy else 'ok':5}  {finding.what:<{width}}  {finding.found}")
        if finding.remedy:
            show(f"{'':5}  {'':<{width}}  -> {finding.remedy}.")
    raise typer.Exit(max(finding.code for finding in findings))


def _look(*, send_test_order: bool) -> list[Finding]:
    """Look at one thing after the other; what stands on a faulty one is not looked at."""
    findings = [_settings()]
    if not findings[0].remedy:
        signed_by, account = opening.credentials(), opening.account()
        findings.append(_leaddone(signed_by, account))
        if send_test_order and not findings[-1].remedy:
            findings.append(_guarded("repeats", lambda: _test_order(signed_by, account)))
    findings.append(_guarded("ledger", _ledger))
    return findings


def _guarded(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except LeadDoneError as error:
        place = error.where()
        return Finding(what, f"{place + ': ' if place else ''}{error.problem}", error.remedy, code_of(error))


def _settings() -> Finding:
    def look() -> Finding:
        signed_by, account = opening.credentials(), opening.account()
        opening.client(signed_by, account, max_connections=1).close()
        return Finding("settings", f"client id {account.client_id}, secret set, base URL {account.base_url}")

    return _guarded("settings", look)


def _leaddone(signed_by: Credentials, account: Account) -> Finding:
    """Send an empty list, signed: a JSON list back, or the refusal of an empty one, shows that it was taken."""
    from leaddone_pipeline.contract import Kind  # noqa: PLC0415 - costs start-up time
    from leaddone_pipeline.webhook import Meaning, read_answer  # noqa: PLC0415

    with opening.client(signed_by, account, max_connections=1) as client:
        answer = client.send(Kind.ORDERS, b"[]")
    meaning = read_answer(answer, []).meaning
    if meaning == Meaning.ANSWERED or _refuses_an_empty_list(answer):
        return Finding("LeadDone", f"answers ({answer.status}), and accepts the signature")
    if answer.status is None:
        return Finding("LeadDone", f"cannot be reached ({answer.detail})", _unreached(answer), STOPPED)
    if meaning == Meaning.CREDENTIALS:
        found, remedy = "credentials refused", _COPY_AGAIN
    elif meaning == Meaning.ADDRESS:
        found, remedy = "no webhook lives there", "Check LEADDONE_BASE_URL; redirects are never followed"
    elif answer.status in _BUSY:
        found, remedy = "it is busy, so address and signature could not be checked", _LATER
    elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        found, remedy = "a fault on its side, so address and signature could not be checked", _LATER
    else:
        found, remedy = "this is not the answer of a LeadDone webhook, which is a JSON list", _ANOTHER
    return Finding("LeadDone", f"answered {answer.status}: {found}", remedy, STOPPED)


_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_COPY_AGAIN = "Copy client id and webhook secret again from LeadDone (Intégrations > Webhook)"
_LATER = "Run `leaddone doctor` again in some minutes; if it stays so, ask LeadDone's support"
_ANOTHER = "Check LEADDONE_BASE_URL, and that nothing (a proxy, a firewall, a login page) answers in LeadDone's place"


def _refuses_an_empty_list(answer: Answer) -> bool:
    """Whether a webhook has looked at the list, after the signature (Laravel's validation answers so)."""
    if answer.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return False
    try:
        document = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(document, dict) and isinstance(document.get("errors"), dict)


def _unreached(answer: Answer) -> str:
    if "certificate" in answer.detail:
        return "Its certificate is not valid: check the address, this machine's clock, or SSL_CERT_FILE"
    return "Check the network, the proxy and LEADDONE_BASE_URL"


def _test_order(signed_by: Credentials, account: Account) -> Finding:
    """Find out about repeats with an order that nobody packs (delivery.md, rule 17)."""
    from leaddone_pipeline.delivery.testorder import send_test_order  # noqa: PLC0415 - loads pandas

    with opening.client(signed_by, account, max_connections=1) as client, opening.ledger() as ledger:
        order_id, repeats, words = send_test_order(client, ledger, account)
    if repeats is None:
        return Finding(
            "repeats", f"not found out: {words}", "Look for order " + order_id + " in LeadDone", STOPPED
        )
    return Finding("repeats", f"LeadDone {repeats} (test order {order_id}: delete it there)")


def _ledger() -> Finding:
    from leaddone_pipeline.ledger import SCHEMA_VERSION, probing  # noqa: PLC0415 - loads pandas

    if file := opening.ledger_to_be_made():
        return _to_be_made(file)
    with opening.existing_ledger() as ledger:
        account = opening.account()
        number = opening.account_number(account, ledger)
        known = ledger.read(lambda connection: probing.read_repeats(connection, number))
        repeats = f"LeadDone {known.repeats}" if known.repeats else "repeats not known yet"
        return Finding("ledger", f"{ledger.place}, schema {SCHEMA_VERSION}, {repeats}")


def _to_be_made(file: Path) -> Finding:
    """Whether the first delivery can make the ledger."""
    folder = next(folder for folder in file.absolute().parents if folder.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        found = f"none yet, and {folder} cannot be written ({error.strerror})"
        return Finding("ledger", found, "Give this user the right, or set LEADDONE_LEDGER_URL", STOPPED)
    return Finding("ledger", f"none yet; the first delivery makes {file}")
