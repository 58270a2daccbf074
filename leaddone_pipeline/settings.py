"""Frozen value objects with units, defined once and passed whole.

A value that cannot be used raises `ValueError` with the field's name and the remedy; `environment.py` turns
that into a `SettingsError` for users.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_SHOP",
    "LOOPBACK",
    "Account",
    "Credentials",
    "DeliverySettings",
    "Guarantee",
    "LeaseSettings",
    "RetrySettings",
    "TimeoutSettings",
]

DEFAULT_BASE_URL = "https://www.myleaddone.com/api/webhook"
DEFAULT_SHOP = "default"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names of this machine."""


class Guarantee(StrEnum):
    """What is done with records of unknown fate (delivery.md, rules 16 and 17)."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request. The secret never appears in a repr."""

    client_id: str
    webhook_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("client_id", "webhook_secret"):
            value = getattr(self, name)
            if not value or value != value.strip() or not value.isprintable():
                raise ValueError(
                    f"{name} is empty, or has spaces or line ends around it; copy it again from LeadDone"
                )
        if not self.client_id.isascii():
            raise ValueError("client_id has characters that no header can carry; copy it again from LeadDone")


@dataclass(frozen=True, slots=True)
class Account:
    """Base URL and client id: what a ledger row belongs to (delivery.md, rule 1).

    `base_url` is kept without a trailing slash, with scheme and host in lower case and without the scheme's
    own port, so that spellings of one address are one account. Only https, except to this machine (rule 31).
    """

    base_url: str
    client_id: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _canonical_base_url(self.base_url))


def _canonical_base_url(text: str) -> str:
    no_address = "base_url is not an http(s) address; write it as https://host/path"
    try:
        address = urlsplit(text.strip())
        host, port = address.hostname or "", address.port
        host.encode("idna")
    except ValueError:  # a port out of range, half a bracket, a host name that no resolver takes
        raise ValueError(no_address) from None
    if address.scheme not in {"http", "https"} or not host:
        raise ValueError(no_address)
    if address.scheme == "http" and host not in LOOPBACK:
        raise ValueError("base_url is not encrypted; write it with https, since it carries customers' data")
    if address.username is not None or address.password is not None:
        raise ValueError(
            "base_url has a user name in it; take it out, client id and signature say who you are"
        )
    if address.query or address.fragment:
        raise ValueError("base_url has a query or fragment; take it out, it would be signed with the body")
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port in {None, {"http": 80, "https": 443}[address.scheme]} else f":{port}"
    return f"{address.scheme}://{shown}{suffix}{address.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How a shop wants its records sent.

    Attributes:
        guarantee: what is done with records of unknown fate.
        batch_size: records in one request, at most.
        max_batch_bytes: bytes in one request's body, at most.
        max_concurrency: requests at once, at most.
    """

    guarantee: Guarantee = Guarantee.AT_LEAST_ONCE
    batch_size: int = 200
    max_batch_bytes: int = 1_000_000
    max_concurrency: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "guarantee", Guarantee(self.guarantee))
        if self.batch_size < 1:
            raise ValueError("batch_size is below 1; 200 is a good value")
        if not 1 <= self.max_batch_bytes <= 8 * 1024 * 1024:
            raise ValueError(
                "max_batch_bytes is not from 1 to 8 MiB, where PHP stops reading; 1000000 is good"
            )
        if self.max_concurrency < 1:
            raise ValueError("max_concurrency is below 1; 8 is a good value")


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """When a request is tried again and when a run gives up (delivery.md C and D).

    Attributes:
        wait_initial_seconds: upper bound of the first wait; it doubles with each try, full jitter below it.
        wait_max_seconds: upper bound of any such wait.
        give_up_seconds: how long one batch tries to connect.
        longest_wait_seconds: a Retry-After beyond this stops the run.
        whole_unknown_batches: so many batches of unknown fate in a row stop the run.
        unreachable_batches: so many batches in a row that gave up connecting stop the run.
        refusals_by_index: so many rounds of 422 by index a batch is mended before it is halved.
    """

    wait_initial_seconds: float = 0.5
    wait_max_seconds: float = 8.0
    give_up_seconds: float = 20.0
    longest_wait_seconds: float = 15 * 60.0
    whole_unknown_batches: int = 3
    unreachable_batches: int = 3
    refusals_by_index: int = 3


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """How long a run may hold claims without a sign of life (delivery.md, rule 10).

    Attributes:
        duration_seconds: after so long without a renewal, others take its claims over.
        renew_seconds: how often it is renewed.
        fresh_seconds: how long after a renewal requests may leave without another one.
    """

    duration_seconds: float = 15.0
    renew_seconds: float = 3.0
    fresh_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class TimeoutSettings:
    """Seconds for each part of a request (delivery.md, rule 31)."""

    connect_seconds: float = 5.0
    write_seconds: float = 30.0
    read_seconds: float = 60.0
