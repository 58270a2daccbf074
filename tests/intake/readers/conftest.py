"""Files of any format, read through the one door, as plain lists."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.readers import open_table


@dataclass(frozen=True)
class Read:
    """What a file holds: (row number, cells) of the sound rows, (row number, code) of the damaged ones."""

    name: str
    header: tuple
    rows: list
    damaged: list
    notes: list


def read_place(place, *, slice_rows=1000, fits=None):
    table = open_table(place, fits=fits)
    rows, damaged = [], []
    for part in table.slices(slice_rows):
        assert part.num_rows <= slice_rows
        names = [name for name in part.column_names if name not in damage.BESIDE]
        assert names == [str(at) for at in range(len(table.header))]
        for row in part.to_pylist():
            if row[damage.DAMAGE]:
                damaged.append((row[damage.ROW], row[damage.DAMAGE]))
            else:
                rows.append((row[damage.ROW], [row[name] for name in names]))
    return Read(table.name, table.header, rows, damaged, table.notes)


@pytest.fixture
def read(tmp_path):
    """Read bytes, text or a place."""

    def read(content, *, name="orders.csv", **how):
        if isinstance(content, Path):
            return read_place(content, **how)
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_place(path, **how)

    return read
