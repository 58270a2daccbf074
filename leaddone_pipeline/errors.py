"""What can end a run, as one tree.

    LeadDoneError
    ├── SettingsError         a setting is missing or means nothing usable
    ├── IntakeError           a file, or one of its rows, cannot be read as orders or updates
    ├── CredentialsRejected   LeadDone answered 401 or 403
    ├── EndpointWrong         the address answered, but no LeadDone webhook lives there
    ├── LeadDoneUnavailable   LeadDone could not be reached, or settled nothing
    ├── LedgerError           the ledger cannot be opened, read or written
    └── SignatureInvalid      a body and its signature do not belong together

A refused row or order is a value (a quarantine row, an outcome), never an exception. Each message says
where, what happened, what was lost (nothing) and what to do. All of them survive pickling, since Dagster
carries errors between processes.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CredentialsRejected",
    "EndpointWrong",
    "IntakeError",
    "LeadDoneError",
    "LeadDoneUnavailable",
    "LedgerError",
    "SettingsError",
    "SignatureInvalid",
]


class LeadDoneError(Exception):
    """Anything that ends a run of this package.

    Attributes:
        problem: what happened, one sentence without its full stop.
        remedy: what to do about it, one sentence without its full stop.
    """

    def __init__(self, problem: str, *, remedy: str, **facts: Any) -> None:  # noqa: ANN401 - facts differ by class
        self.problem = problem
        self.remedy = remedy
        self.facts = facts
        super().__init__(problem)

    def where(self) -> str:
        """Name the place that the facts point at, empty if they point nowhere."""
        return ""

    def __str__(self) -> str:
        place = self.where()
        return f"{place + ': ' if place else ''}{self.problem}. {self.remedy}."

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.problem, self.remedy, self.facts)


def _rebuild(kind: type[LeadDoneError], problem: str, remedy: str, facts: dict[str, Any]) -> LeadDoneError:
    return kind(problem, remedy=remedy, **facts)


class SettingsError(LeadDoneError):
    """A setting is missing or has a value that cannot be used."""

    def __init__(self, problem: str, *, remedy: str, setting: str) -> None:
        super().__init__(problem, remedy=remedy, setting=setting)
        self.setting = setting

    def where(self) -> str:
        return self.setting


class IntakeError(LeadDoneError):
    """A file cannot be read as what it should be; row and column are named where one is to blame."""

    def __init__(
        self, problem: str, *, remedy: str, file: str, row: int | None = None, column: str | None = None
    ) -> None:
        super().__init__(problem, remedy=remedy, file=file, row=row, column=column)
        self.file = file
        self.row = row
        self.column = column

    def where(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        column = f', column "{self.column}"' if self.column is not None else ""
        return f"{self.file}{row}{column}"


class CredentialsRejected(LeadDoneError):
    """LeadDone answered 401 or 403: client id and secret do not belong together, or not to this address."""

    def __init__(self, problem: str, *, remedy: str, status: int) -> None:
        super().__init__(problem, remedy=remedy, status=status)
        self.status = status


class EndpointWrong(LeadDoneError):
    """The address answered in a way that no LeadDone webhook does: 404, 405, 410 or a redirect."""

    def __init__(self, problem: str, *, remedy: str, status: int) -> None:
        super().__init__(problem, remedy=remedy, status=status)
        self.status = status


class LeadDoneUnavailable(LeadDoneError):
    """LeadDone could not be reached, asked for a long wait, or answered nothing that settles anything."""


class LedgerError(LeadDoneError):
    """The ledger cannot be opened, read or written."""

    def __init__(self, problem: str, *, remedy: str, ledger: str) -> None:
        super().__init__(problem, remedy=remedy, ledger=ledger)
        self.ledger = ledger

    def where(self) -> str:
        return f"ledger {self.ledger}"


class SignatureInvalid(LeadDoneError):
    """A signature is missing, malformed, or not of these bytes with this secret."""
