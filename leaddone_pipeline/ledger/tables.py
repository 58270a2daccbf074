"""The ledger's tables: what was claimed, sent and answered.

One row of `records` is one order, or the newest status of one order. A claim is one row of `batches` and the
ranges of record numbers in `claims`; nothing is written per record until its answer is there (delivery.md B,
"Cheap by shape"). Times are UTC seconds since 1970 by the database's clock. No personal data (rule 3).
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "SECOND_ID",
    "Repeats",
    "State",
    "accounts",
    "audit",
    "batches",
    "claims",
    "ledger",
    "messages",
    "metadata",
    "records",
    "runs",
]

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")


SECOND_ID = "second internal id"
"""The audit's word for an acceptance under another internal id than the one that is linked (rule 20)."""


class State(StrEnum):
    """Where a record stands. HELD_BACK is never stored: it is read off the order that an update belongs to."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCONFIRMED = "unconfirmed"
    SKIPPED = "skipped"
    HELD_BACK = "held_back"


class Repeats(StrEnum):
    """What LeadDone does with an order that it gets twice (rule 17)."""

    RECOGNISED = "recognises repeats"
    SECOND_ORDERS = "makes second orders"
    REFUSED = "refuses repeats"
    UNCLEAR = "may make second orders"
    """A probe whose order LeadDone has took no second answer in; another could make a third extra order."""


ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "content_key", LargeBinary, nullable=False, comment="keys content_hash; made with the ledger (rule 3)"
    ),
    Column(
        "next_number",
        _Number,
        nullable=False,
        comment="the next record's number; its row lock orders recording",
    ),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("base_url", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("wait_until", Double, comment="no request before this time (rule 26)"),
    Column("repeats", Text, comment="what LeadDone does with an order that it gets twice (rule 17)"),
    Column("probe_number", _Number, comment="the record of the one open probe (rule 17)"),
    Column("probe_id", Text, comment="the internal id of the open probe's first answer"),
    UniqueConstraint("base_url", "client_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("shop", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("ended_at", Double),
    Column("stopped", Text, comment="why the run stopped early; empty when it finished"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False, unique=True, comment="the server's words, masked (rule 3)"),
)

records = Table(
    "records",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("shop", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column(
        "held", Boolean, nullable=False, default=False, comment="unconfirmed, and left to a person (rule 16)"
    ),
    Column("day", Text, comment="the first day whose export brought it (rule 6), ISO"),
    Column("seen_day", Text, comment="the last day whose export spoke of it, ISO"),
    Column("source_file", Text),
    Column("source_row", Integer),
    Column("content_hash", LargeBinary, comment="keyed; of the record as sent, or as it would be sent"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("unknown_attempts", Integer, nullable=False, default=0),
    Column("first_sent_at", Double),
    Column("answered_at", Double),
    Column("internal_id", Text),
    Column("message_id", ForeignKey("messages.id")),
    Column("batch_id", _Number, comment="the batch that brought the last answer"),
    Column("cancelled", Text, comment="the shop's reason, when it cancelled after sending (rule 22)"),
    Column(
        "forgotten", Boolean, nullable=False, default=False, comment="a tombstone: never sent again (rule 7)"
    ),
    Column("tracking_number", Text),
    Column("status", Text),
    Column("event_at", Double),
    Column("timed", Boolean),
    Column("accepted_tracking_number", Text),
    Column("accepted_status", Text),
    Column("accepted_event_at", Double),
    Column("accepted_timed", Boolean),
    UniqueConstraint("account_id", "kind", "order_id"),
    Index(
        "open_updates",
        "account_id",
        "number",
        sqlite_where=text("kind = 'tracking' AND state <> 'accepted'"),
        postgresql_where=text("kind = 'tracking' AND state <> 'accepted'"),
    ),
)

batches = Table(
    "batches",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("attempt", Integer, nullable=False, comment="1 for the first sending, more for retries and parts"),
    Column("token", Text, nullable=False, comment="settling needs it (rule 10)"),
    Column("claimed_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("ending", Text, comment="settled, returned or taken_over"),
)

claims = Table(
    "claims",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column("first_number", _Number, primary_key=True),
    Column("last_number", _Number, nullable=False),
    comment="open claims only: ranges of record numbers, taken away with the batch's end",
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Double, nullable=False),
    Column("command", Text, nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
)
