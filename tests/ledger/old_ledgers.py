"""The ledger of the first schema, as a SQLite file and, row for row, in PostgreSQL; and processes that open one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, select, text

FIXTURES = Path(__file__).parent / "fixtures"
SCHEMA = "0001"
FILE = FIXTURES / f"ledger-{SCHEMA}.db"

OPENER = """
import sys
from leaddone_pipeline.ledger import Ledger
print("ready", flush=True)
sys.stdin.readline()
with Ledger(sys.argv[1]) as ledger:
    print(ledger.newly_made, ledger.content_key.hex())
"""


def bring(place):
    """Put the old ledger where the place's ledger is to be; the place is empty."""
    if place.kind == "sqlite":
        shutil.copyfile(FILE, place.path)
        return
    source = create_engine(f"sqlite:///{FILE}")
    target = create_engine(place.url.replace("postgresql:", "postgresql+psycopg:"))
    with source.connect() as old, target.begin() as new:
        config = Config()
        config.set_main_option("script_location", "leaddone_pipeline:ledger/migrations")
        config.attributes["connection"] = new
        command.upgrade(config, SCHEMA)
        its, ours = MetaData(), MetaData()
        its.reflect(old)
        ours.reflect(new)
        for table in ours.sorted_tables:
            rows = [dict(row) for row in old.execute(select(its.tables[table.name])).mappings()]
            if rows and table.name != "alembic_version":
                new.execute(table.insert(), rows)
            _follow(new, table)
    source.dispose()
    target.dispose()


def _follow(connection, table):
    """Let the numbers that PostgreSQL gives go on after those that were copied."""
    if "id" in table.c and table.c.id.autoincrement:
        last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
        connection.execute(text(last))


def openers(url, count=2):
    """Processes that have loaded all they need, and open the ledger at the next line that they read."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    return started


def go(started):
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()


def said(started):
    """What each process found: whether it made the ledger, and the ledger's key."""
    words = [process.communicate(timeout=120)[0].split() for process in started]
    assert [process.returncode for process in started] == [0] * len(started)
    return words
