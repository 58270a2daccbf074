"""Numbers of workbooks and Parquet files as a person reads them: without float noise."""

from __future__ import annotations

import math
from decimal import Decimal

__all__ = ["number_text"]

_EXACT_BELOW = 1e15


def number_text(value: float) -> str:
    """Write a float with its 15 significant digits: `12`, `0.1`, `212612345678`.

    From 1e15 on its last digits are gone; it is written as a power of ten, which normalization refuses.
    """
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.15g}"
    if abs(value) >= _EXACT_BELOW:
        return text.upper() if "e" in text else f"{value:.14E}"
    if "e" in text:
        return f"{Decimal(text):f}"
    return "0" if text == "-0" else text
