"""Numbers that a file keeps as numbers, as a person reads them: without float noise, never ambiguous."""

from __future__ import annotations

import math
import re
from decimal import Decimal

__all__ = ["number_text", "unambiguous"]

_EXACT_BELOW = 1e15
_THOUSANDTHS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")


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
    return "0" if text == "-0" else unambiguous(text)


def unambiguous(number: str) -> str:
    """Give thousandths a fourth decimal, `68.6650`: as text alone, `68.665` could be sixty-eight thousand."""
    return f"{number}0" if _THOUSANDTHS.fullmatch(number) else number
