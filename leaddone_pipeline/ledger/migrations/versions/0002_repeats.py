"""What an account's LeadDone does with repeats, and the open probe (rule 17)."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column(
            "repeats", sa.Text(), comment="what LeadDone does with an order that it gets twice (rule 17)"
        ),
        sa.Column("probe_number", _Number, comment="the record of the one open probe (rule 17)"),
        sa.Column("probe_id", sa.Text(), comment="the internal id of the open probe's first answer"),
    ):
        op.add_column("accounts", column)
