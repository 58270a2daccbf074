"""Alembic's entry: runs on the connection that the ledger holds, in the ledger's own transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
