"""Pure: when a run stops, and what its owner is told (delivery.md C, rules 18, 19 and 26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.decide import End, Health, Step
from leaddone_pipeline.errors import CredentialsRejected, EndpointWrong, LeadDoneError, LeadDoneUnavailable

if TYPE_CHECKING:
    from leaddone_pipeline.settings import RetrySettings
    from leaddone_pipeline.webhook import Answer

__all__ = ["broken", "interrupted", "long_wait", "silent", "stop_reason", "taken_over"]

_NOTHING_LOST = "Nothing is lost: what was not sent is pending in the ledger, and the next run sends it"


def stop_reason(
    step: Step, answer: Answer, health: Health, retry: RetrySettings, *, busy_seconds: float
) -> LeadDoneError | None:
    """Say why the run must stop after this attempt; None if it goes on.

    Args:
        step: what the attempt leads to.
        answer: what came back.
        health: with this attempt counted.
        retry: the limits.
        busy_seconds: how long this batch has been told to wait already.
    """
    status = answer.status or 0
    if step.end == End.CREDENTIALS:
        return CredentialsRejected(
            f"LeadDone answered {status}: it does not accept this client id and signature. {_NOTHING_LOST}",
            remedy="Copy client id and webhook secret again from LeadDone (Intégrations > Webhook), and check that "
            "the base URL is of the same account",
            status=status,
        )
    if step.end == End.ADDRESS:
        return EndpointWrong(
            f"the address answered {status}: no LeadDone webhook lives there. {_NOTHING_LOST}",
            remedy="Check the base URL; redirects are never followed, since they would hand customers' data on",
            status=status,
        )
    if step.blanket:
        return LeadDoneUnavailable(
            f'LeadDone refuses one order after the other with the same words ({status}: "{step.words}") and has '
            f"accepted none: the account or the deploy is to blame, not the orders. {_NOTHING_LOST}",
            remedy="Ask LeadDone's support what these words mean, then run again",
        )
    waited = max(busy_seconds, step.wait_seconds or 0.0)
    if step.end == End.BUSY and waited > retry.longest_wait_seconds:
        return long_wait(waited)
    if health.unreached_in_a_row >= retry.unreachable_batches:
        return LeadDoneUnavailable(
            f"LeadDone cannot be reached ({answer.detail}). {_NOTHING_LOST}",
            remedy="Check the network and the base URL, then run again",
        )
    if health.unknown_in_a_row >= retry.whole_unknown_batches:
        return LeadDoneUnavailable(
            f"{health.unknown_in_a_row} batches in a row had no usable answer (last: {_last(answer)}). They are "
            "unconfirmed: LeadDone may have them or not. What was not sent is pending",
            remedy="Look into LeadDone, settle the unconfirmed orders with `leaddone resolve`, then run again",
        )
    return None


def long_wait(seconds: float) -> LeadDoneError:
    """LeadDone named a time that is too far off to wait for (rule 26)."""
    return LeadDoneUnavailable(
        f"LeadDone asks for a wait of {seconds:.0f} seconds. {_NOTHING_LOST}",
        remedy="Run again after that time",
    )


def taken_over() -> LeadDoneError:
    """Another run took this one for dead (rules 10 and 12)."""
    return LeadDoneUnavailable(
        "this run gave no sign of life for too long (a machine that slept?), and another run took its records "
        f"over; it sends nothing more. {_NOTHING_LOST}",
        remedy="Run again",
    )


def silent(answer_words: str) -> LeadDoneError:
    """The run tried, and nothing was settled (rule 18)."""
    return LeadDoneUnavailable(
        f"no answer of LeadDone settled anything{f' (last: {answer_words})' if answer_words else ''}. "
        f"{_NOTHING_LOST}; orders whose answer never came are unconfirmed",
        remedy="Check that LeadDone is up and the base URL is right, see `leaddone status`, then run again",
    )


def interrupted() -> LeadDoneError:
    """The run was ended from outside, or by an error of its own."""
    return LeadDoneUnavailable(f"the run was interrupted. {_NOTHING_LOST}", remedy="Run again")


def broken(error: BaseException) -> LeadDoneError:
    """The run failed by a fault of this package or of what was handed to it; the error itself is raised too."""
    return LeadDoneUnavailable(
        f"the run broke off ({type(error).__name__}). {_NOTHING_LOST}; orders under way are unconfirmed",
        remedy="Report this with its traceback, then run again",
    )


def _last(answer: Answer) -> str:
    return str(answer.status) if answer.status is not None else answer.detail
