"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("wait_until", sa.Double(), nullable=True, comment="no request before this time (rule 26)"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("base_url", "client_id"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "content_key",
            sa.LargeBinary(),
            nullable=False,
            comment="keys content_hash; made with the ledger (rule 3)",
        ),
        sa.Column(
            "next_number",
            _Number,
            nullable=False,
            comment="the next record's number; its row lock orders recording",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="the server's words, masked (rule 3)"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("text"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _Number, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "records",
        sa.Column("number", _Number, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "held", sa.Boolean(), nullable=False, comment="unconfirmed, and left to a person (rule 16)"
        ),
        sa.Column(
            "day", sa.Text(), nullable=True, comment="the first day whose export brought it (rule 6), ISO"
        ),
        sa.Column("seen_day", sa.Text(), nullable=True, comment="the last day whose export spoke of it, ISO"),
        sa.Column("source_file", sa.Text(), nullable=True),
        sa.Column("source_row", sa.Integer(), nullable=True),
        sa.Column(
            "content_hash",
            sa.LargeBinary(),
            nullable=True,
            comment="keyed; of the record as sent, or as it would be sent",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unknown_attempts", sa.Integer(), nullable=False),
        sa.Column("first_sent_at", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("internal_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("batch_id", _Number, nullable=True, comment="the batch that brought the last answer"),
        sa.Column(
            "cancelled",
            sa.Text(),
            nullable=True,
            comment="the shop's reason, when it cancelled after sending (rule 22)",
        ),
        sa.Column(
            "forgotten", sa.Boolean(), nullable=False, comment="a tombstone: never sent again (rule 7)"
        ),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("event_at", sa.Double(), nullable=True),
        sa.Column("timed", sa.Boolean(), nullable=True),
        sa.Column("accepted_tracking_number", sa.Text(), nullable=True),
        sa.Column("accepted_status", sa.Text(), nullable=True),
        sa.Column("accepted_event_at", sa.Double(), nullable=True),
        sa.Column("accepted_timed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("account_id", "kind", "order_id"),
    )
    op.create_index(
        "open_updates",
        "records",
        ["account_id", "number"],
        unique=False,
        sqlite_where=sa.text("kind = 'tracking' AND state <> 'accepted'"),
        postgresql_where=sa.text("kind = 'tracking' AND state <> 'accepted'"),
    )
    op.create_table(
        "runs",
        sa.Column("id", _Number, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column(
            "stopped", sa.Text(), nullable=True, comment="why the run stopped early; empty when it finished"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "batches",
        sa.Column("id", _Number, nullable=False),
        sa.Column("run_id", _Number, nullable=False),
        sa.Column(
            "attempt",
            sa.Integer(),
            nullable=False,
            comment="1 for the first sending, more for retries and parts",
        ),
        sa.Column("token", sa.Text(), nullable=False, comment="settling needs it (rule 10)"),
        sa.Column("claimed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True, comment="settled, returned or taken_over"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "claims",
        sa.Column("batch_id", _Number, nullable=False),
        sa.Column("first_number", _Number, nullable=False),
        sa.Column("last_number", _Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        sa.PrimaryKeyConstraint("batch_id", "first_number"),
        comment="open claims only: ranges of record numbers, taken away with the batch's end",
    )
