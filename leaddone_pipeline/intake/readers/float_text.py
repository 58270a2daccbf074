"""Numbers of workbooks and Parquet files as a person reads them: without float noise."""

from __future__ import annotations

import math
import re
from decimal import Decimal

__all__ = ["number_text"]

_EXACT_BELOW = 1e15
_THOUSANDTHS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")


def number_text(value: float) -> str:
    """Write a float with its 15 significant digits: `12`, `0.1`, `212612345678`.

    Thousandths keep a fourth decimal, `68.6650`: a number is never ambiguous, as `68.665` read as text would be.
    From 1e15 on its last digits are gone; it is written as a power of ten, which normalization refuses.
    """
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.15g}"
    if abs(value) >= _EXACT_BELOW:
        return text.upper() if "e" in text else f"{value:.14E}"
    if "e" in text:
        return f"{Decimal(text):f}"
    if _THOUSANDTHS.fullmatch(text):
        return f"{text}0"
    return "0" if text == "-0" else text
