"""What was given back of an order, as one amount: from a cell of one, or of a list as export plugins write it.

Source: sources.md, section 3; the plugins give amounts above zero, the REST answer gives them below.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.intake.columns import rewrite
from leaddone_pipeline.intake.prices import amount_text

if TYPE_CHECKING:
    import pandas as pd

    from leaddone_pipeline.intake.lines import Lines

__all__ = ["refunded"]

_NUMBER = r"-?([0-9]{1,10}(?:\.[0-9]{1,4})?)"
_ENTRY = re.compile(rf"\s*(?:[0-9]+:)?amount:{_NUMBER}\s*(?:\|.*)?", re.DOTALL)
_BETWEEN = re.compile(r"[;\n](?=\s*(?:[0-9]+:)?amount:)")


def refunded(lines: Lines) -> pd.Series[Any]:
    """Text of amounts without a sign, NA where nothing was given back; what cannot be read stays as it stands."""
    cells = lines.money(lines.bound.fields.get("refunded", ()), signed=False)
    return rewrite(cells, ready=r"^[0-9.]*$", by=_summed)


def _summed(cell: str) -> str:
    amounts = _of_json(cell) if cell.startswith("[") else _of_entries(cell)
    return cell if amounts is None else amount_text(sum(amounts, Decimal(0)))


def _of_entries(cell: str) -> list[Decimal] | None:
    """Read `amount:100.00|reason:...|date:...`, one or several."""
    found = [_ENTRY.fullmatch(entry) for entry in _BETWEEN.split(cell)]
    return [Decimal(entry[1]) for entry in found if entry] if all(found) else None


def _of_json(cell: str) -> list[Decimal] | None:
    """Read `[{"id": 1, "reason": "...", "total": "-100.00"}]`, as the reader of records leaves it."""
    try:
        entries = json.loads(cell)
        totals = [re.fullmatch(_NUMBER, str(entry["total"])) for entry in entries]
    except (ValueError, TypeError, KeyError):
        return None
    return [Decimal(total[1]) for total in totals if total] if all(totals) else None
