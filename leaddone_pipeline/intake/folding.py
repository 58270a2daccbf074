"""Names and words folded for comparison: case, accents, Arabic spelling, and for names punctuation too.

Source: sources.md, section 5: hand-made headers are French, Arabic or English, in any case and spelling.
"""

# ruff: noqa: RUF001 - Arabic letters and typographic quotes are what is folded

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["fold_name", "fold_word", "glob"]

_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ة": "ه", "ى": "ي", "ـ": None})
_PUNCTUATION = re.compile(r"[\s_\-.:/()\[\]*'’\"#?]+")


@lru_cache(maxsize=65_536)
def fold_word(text: str) -> str:
    """Fold case, accents, Arabic letters, tatweel, diacritics and runs of spaces; punctuation stays."""
    # Arabic first: NFKD would part the hamza from its alif, and a mark is dropped with the accents.
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(_ARABIC))
    bare = "".join(
        letter
        for letter in apart
        if unicodedata.category(letter) not in {"Mn", "Cf", "Cc"} or letter in "\t\n\r"
    )
    return " ".join(bare.casefold().split())


@lru_cache(maxsize=65_536)
def fold_name(text: str) -> str:
    """Fold a column's name: as fold_word, and without spaces and punctuation (`Nom & prénom : ` is `nom&prenom`)."""
    return _PUNCTUATION.sub("", fold_word(text.replace("°", "").replace("º", "")))


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """Make a source's pattern an expression over folded words; `*` stands for any text."""
    parts = [re.escape(fold_word(part)) if part.strip() else "" for part in re.split(r"\*+", pattern)]
    return re.compile(f"(?s:{'.*'.join(parts)})")
