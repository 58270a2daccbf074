"""What Dagster keeps of a day: its counts, what was noted of it, and its rows, read back alone to spare memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.orchestration import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaddone_pipeline.orchestration.tables import Table

__all__ = ["counts_of", "observed", "read_day"]

_OBSERVATIONS = 100


def counts_of(instance: dg.DagsterInstance, key: dg.AssetKey, day: str) -> Mapping[str, int]:
    """The whole numbers in the metadata of a day's newest materialization; empty without one."""
    made = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=1
    )
    event = made.records[0].asset_materialization if made.records else None
    if event is None:
        return {}
    return {
        name: value.value
        for name, value in event.metadata.items()
        if isinstance(value, dg.IntMetadataValue) and value.value is not None
    }


def observed(instance: dg.DagsterInstance, key: dg.AssetKey, day: str, name: str) -> str | None:
    """The newest text under this name in the metadata of a day's observations; None if none is found."""
    seen = instance.fetch_observations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=_OBSERVATIONS
    )
    for record in seen.records:
        value = record.asset_observation.metadata.get(name) if record.asset_observation else None
        if isinstance(value, dg.TextMetadataValue):
            return value.value
    return None


def read_day(context: dg.AssetExecutionContext, key: dg.AssetKey, table: Table, day: str) -> pd.DataFrame:
    """Read a day's rows.

    A day whose materialization says that it has no rows is not looked for: some IO managers make no table before
    the first row comes.

    Raises:
        IntakeError: the table cannot be read; this Dagster instance knows of no reading of the day, and so of no row
            that was refused; or the stored table does not have as many rows of the day as its materialization says.
    """
    asset, rows = key.path[-1], counts_of(context.instance, key, day).get(metadata.PARTITION_ROWS)
    if rows is None:
        raise IntakeError(
            "the day was not read in this Dagster; nothing of it was sent now",
            remedy=f"Materialize {asset} of this day first, or both in one run",
            file=f"{asset} of {day}",
        )
    if rows == 0:
        return table.empty()
    try:
        stored = context.load_asset_value(key, python_type=pd.DataFrame, partition_key=day)
    except Exception as error:  # an IO manager may raise anything
        raise IntakeError(
            f"its stored table cannot be read ({type(error).__name__}); nothing of the day was sent now",
            remedy=f"Look at the error above this one; materialize {asset} of this day again",
            file=f"{asset} of {day}",
        ) from error
    frame = table.cast(stored)
    if len(frame) != rows:
        raise IntakeError(
            f"{rows} rows of the day were stored, and {len(frame)} come back; nothing of the day was sent now",
            remedy=f"Materialize {asset} of this day again; if it stays so, the IO manager does not keep days "
            "or shops apart: take another one, or one that stores a day at a time with days_per_run: 1",
            file=f"{asset} of {day}",
        )
    return frame
