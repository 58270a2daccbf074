"""What is odd about orders and no reason to refuse them: counted, and said once a file, without personal data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.intake import phones
from leaddone_pipeline.intake.columns import matches

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Oddities"]

_DIGIT = r"[0-9\x{0660}-\x{0669}\x{06F0}-\x{06F9}]"
# Bytes of UTF-8 read as cp1252, the sign for a letter that was lost, or what a wrong font leaves: `Jadida-???`.
_GARBLED = r"\x{FFFD}|\?{3}|[ÃÂØÙ][\x{0080}-\x{00BF}\x{0152}-\x{0192}\x{2018}-\x{2122}]"


@dataclass(slots=True)
class Oddities:
    """Counts over the slices of one file.

    Attributes:
        region: where phone numbers without a country code belong.
    """

    region: str = phones.MOROCCO
    unassigned: int = 0
    foreign: int = 0
    two_numbers: int = 0
    cities: int = 0
    garbled: int = 0

    def add(self, orders: pd.DataFrame, written_phones: pd.Series[Any]) -> None:
        """Look at orders that are sent (fields as in OrdersTable) and at their phones as they were written."""
        self.unassigned += int(phones.unassigned(orders["phone"]).sum())
        self.foreign += int(phones.foreign(orders["phone"], region=self.region).sum())
        self.two_numbers += int(phones.two_numbers(written_phones).sum())
        self.cities += int(matches(orders["city"], _DIGIT).sum())
        garbled = matches(orders["article"], _GARBLED)
        for name in ("receiver", "city", "address"):
            garbled |= matches(orders[name], _GARBLED)
        self.garbled += int(garbled.sum())

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each oddity that was seen, without its full stop."""
        told = (
            (self.unassigned, "{} in a number range that is assigned to nobody yet", "phone", "phones"),
            (self.foreign, "{} of another country", "phone", "phones"),
            (self.two_numbers, "two numbers in {}, of which the first is sent", "phone", "phones"),
            (self.cities, "digits in {}", "city", "cities"),
            (self.garbled, "{} with garbled letters, sent as they stand", "order", "orders"),
        )
        return tuple(
            sentence.format(f"{count:,} {one if count == 1 else many}")
            for count, sentence, one, many in told
            if count
        )
