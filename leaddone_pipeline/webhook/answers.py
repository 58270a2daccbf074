"""What an answer means: the table of delivery.md C as a pure function; nothing else looks at a status."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.webhook.masking import MAX_WORDS
from leaddone_pipeline.webhook.matching import JsonNumber, Said, match_results, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Answer", "Failure", "Meaning", "Verdict", "read_answer"]


class Failure(StrEnum):
    """Where an attempt broke off."""

    UNREACHED = "unreached"
    """No connection (DNS, TCP, TLS): no byte of the body left."""

    BROKEN = "broken"
    """A timeout or reset after the body may have begun to leave, or an answer not read to its end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one attempt.

    Attributes:
        status: None if no answer began.
        headers: names in lower case.
        body: decompressed; empty unless `complete`.
        failure: where the attempt broke off, if it did.
        complete: whether the answer was read to its end.
        detail: the class of the error, never its content.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    failure: Failure | None = None
    complete: bool = True
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether anything of the request may have reached LeadDone."""
        return self.status is not None or self.failure is not Failure.UNREACHED


class Meaning(StrEnum):
    """What an answer says of the whole request."""

    ANSWERED = "answered"
    REFUSED_BY_INDEX = "refused_by_index"
    REFUSED_WHOLE = "refused_whole"
    CREDENTIALS = "credentials"
    ADDRESS = "address"
    BUSY = "busy"
    UNREACHED = "unreached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of one answer. The server's words may repeat personal data: mask them before keeping them.

    Attributes:
        said: with ANSWERED, what is said of each id, in the order sent; else empty.
        refused: with REFUSED_BY_INDEX, the server's words for each refused index of the batch.
        words: the server's words for the whole request, at most 500 characters; the status where it has none.
        wait_seconds: with BUSY, the wait as told, never negative; None: not told.
        strangers: ids in the answer that were not sent (rule 21).
        remaining: requests left in the server's window (`X-RateLimit-Remaining`), if told.
    """

    meaning: Meaning
    said: tuple[Said, ...] = ()
    refused: Mapping[int, str] = field(default_factory=dict, repr=False)
    words: str = field(default="", repr=False)
    wait_seconds: float | None = None
    strangers: tuple[str, ...] = ()
    remaining: int | None = None


# What says that a request was not processed, beside the 3xx.
_WHOLE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_CREDENTIALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_ADDRESS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE})


def read_answer(answer: Answer, ids: Sequence[str]) -> Verdict:
    """Read what an answer says of this attempt alone, for the batch's ids in the order sent. Never raises."""
    status = answer.status or 0
    document = _document(answer)
    wait = _retry_after(answer.headers)
    verdict = Verdict(
        Meaning.UNKNOWN,
        words=_whole_words(answer, document),
        remaining=_count(answer.headers.get("x-ratelimit-remaining", "")),
    )

    # 2xx, an array: each record as its own result says; one without a clear result is unknown (rules 18, 21).
    if _is_2xx(status) and isinstance(document, list):
        said, strangers = match_results(document, ids)
        return replace(verdict, meaning=Meaning.ANSWERED, said=said, strangers=strangers, words="")
    # 2xx with anything else: something was done, and nothing says what.
    if _is_2xx(status):
        return verdict
    # 422 by index: Laravel validates the whole body before it processes any of it.
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and (refused := _refused_by_index(document, len(ids))):
        return replace(verdict, meaning=Meaning.REFUSED_BY_INDEX, refused=refused)
    # 400, 413, 422 otherwise: refused as a whole, and not said for which record.
    if status in _WHOLE:
        return replace(verdict, meaning=Meaning.REFUSED_WHOLE)
    # 401, 403: the signature is checked before anything is processed.
    if status in _CREDENTIALS:
        return replace(verdict, meaning=Meaning.CREDENTIALS)
    # 404, 405, 410, 3xx: no webhook lives there; to follow would hand customers' data to someone else.
    if status in _ADDRESS or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return replace(verdict, meaning=Meaning.ADDRESS)
    # 429 always, 503 only where it says until when: turned away at the door.
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and wait.told):
        return replace(verdict, meaning=Meaning.BUSY, wait_seconds=wait.seconds)
    # No connection: nothing left this machine.
    if not answer.reached:
        return replace(verdict, meaning=Meaning.UNREACHED)
    # 5xx, 408, 409, 425, timeouts and resets once the body may have begun to leave, the rest (rules 15-18).
    return verdict


def _is_2xx(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _document(answer: Answer) -> Any:  # noqa: ANN401 - JSON from outside, looked at before each use
    """Parse the body; None for what is cut off or no JSON. Numbers stay the text that they came as."""
    if not answer.complete or answer.failure is not None:
        return None
    try:
        # utf-8-sig: one PHP file saved with a byte order mark puts it before every answer.
        text = answer.body.decode("utf-8-sig")
        return json.loads(text, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _whole_words(answer: Answer, document: object) -> str:
    message = readable(document.get("message")) if isinstance(document, dict) else ""
    return message or (answer.detail[:MAX_WORDS] if answer.status is None else f"HTTP {answer.status}")


_INDEX = re.compile(r"(0|[1-9][0-9]{0,8})(?:\..*)?", re.DOTALL)


def _refused_by_index(document: object, sent: int) -> dict[int, str]:
    """Gather Laravel's `{"errors": {"17.price": ["..."]}}` by index of the batch; other keys are ignored."""
    errors = document.get("errors") if isinstance(document, dict) else None
    found: dict[int, list[str]] = {}
    for key, value in errors.items() if isinstance(errors, dict) else ():
        index = _INDEX.fullmatch(key)
        if index is not None and int(index[1]) < sent:
            lines = value if isinstance(value, list) else [value]
            found.setdefault(int(index[1]), []).extend(filter(None, map(readable, lines)))
    return {index: " ".join(lines)[:MAX_WORDS] for index, lines in sorted(found.items())}


@dataclass(frozen=True, slots=True)
class _Wait:
    told: bool
    seconds: float | None = None


_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def _retry_after(headers: Mapping[str, str]) -> _Wait:
    """Read Retry-After as seconds, or as a date less the answer's own Date: our clock may be wrong."""
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return _Wait(told=True, seconds=float(text))
    until = _http_date(text)
    if until is None:
        return _Wait(told=False)
    now = _http_date(headers.get("date", ""))
    return _Wait(told=True, seconds=max(0.0, (until - now).total_seconds()) if now is not None else None)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        # What email.utils raises for various kinds of nonsense.
        return None
    # Without a zone it is UTC, as everywhere in HTTP.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _count(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else None
