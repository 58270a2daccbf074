"""Phone numbers as people and programs write them -> `06…` in Morocco, E.164 elsewhere.

The forms that Moroccan files hold by the thousand are rewritten as whole columns; what is left goes through
`phonenumbers`, once for each different cell. A cell that is no number stays as it stands, for cell_reasons.py.
Source: sources.md, section 7 (measured with phonenumbers 9.0.43).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import phonenumbers
import pyarrow.compute as pc

from leaddone_pipeline.intake.columns import MARKS, arrow, matches, rewrite, series, text, unmarked

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOROCCO",
    "digits_of",
    "foreign",
    "is_phone",
    "phone",
    "two_numbers",
    "two_numbers_in",
    "unassigned",
]

MOROCCO = "MA"

_MOROCCAN = r"^0[5-8][0-9]{8}$"
"""The shape of a Moroccan number as `phone` writes it; `is_phone` knows more."""

# What may stand between the digits: any space, dashes of all kinds, points, brackets, marks of direction.
_BETWEEN = (
    r"[\s\x{00A0}\x{2000}-\x{200A}\x{202F}\x{2010}-\x{2015}\x{2212}._()\-"
    r"\x{00AD}\x{061C}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]+"
)
_COMMON = r"^(?:(?:\+|00)?212)?0?([5-8][0-9]{8})(?:\.0)?$"
_COMMON_LOOSE = r"^'*(?:(?:\+|00)?212)?0?([5-8][0-9]{8})$"
_FLOAT = r"^[0-9]+\.0$"

_BETWEEN_HERE = re.compile(rf"[\s\u00a0\u2000-\u200a\u202f\u2010-\u2015\u2212._()\-{MARKS}]+")
_PLUS = {0xFF0B: "+", 0xFF08: "(", 0xFF09: ")", 0x066B: "."}
_SPREADSHEET_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_BEFORE = re.compile(
    r"(?:t[ée]l(?:[ée]phone)?|phone|gsm|mobile|portable|whatsapp|p|هاتف|الهاتف)\s*[.:]+\s*", re.IGNORECASE
)
_APOSTROPHES = re.compile(r"['\u2018\u2019`\s]+")
_AFTER = re.compile(r"(?:\s*[(\[,;:/-]\s*|\s+)[^\W\d_]{2}[^\d+]*$")
_EXTENSION = re.compile(r"\s*(?:ext|extension|poste|x)\.?\s*:?\s*[0-9]{1,7}$", re.IGNORECASE)
_APART = re.compile(r"\s*[/\\,;|&\n]\s*|\s+-+\s+|\s+(?:ou|or|et|and|و|أو|او)\s+", re.IGNORECASE)
_STRAY_END = re.compile(r"[\s;,/\\|&*?!]+$")
_PAIRS = re.compile(r"\+?[0-9]{1,4}(?:(?:\s*/\s*[0-9]{1,4}){2,}|(?:\s*,\s*[0-9]{1,4}){2,})")
"""Groups of digits, parted by one and the same sign, none of which is a number by itself."""
_ONE = re.compile(r"\+?[0-9]{4,18}")
_NATIONAL = re.compile(r"(?:(?:\+|00)?212)?0?([5-8][0-9]{8})")
_FEW_DIGITS = 6
_TWO = r"[/\\,;|&\n]|\s-+\s|\s(?i:ou|or|et|and|و|أو|او)\s"


def phone(values: pd.Series[Any], *, region: str = MOROCCO) -> pd.Series[Any]:
    """Write numbers as LeadDone takes them; leave what is none, or not surely one, as it stands.

    Moroccan numbers are written 0XXXXXXXXX where the shop's region is Morocco, else as E.164 like all others.
    Of two whole numbers in a cell the first counts; words after a number and an extension are cut.
    """
    whole = text(values)
    if region == MOROCCO:
        whole = _common(whole)
        return rewrite(whole, ready=_MOROCCAN, by=lambda cell: _rare(cell, region))
    return rewrite(whole, ready=r"^$", by=lambda cell: _rare(cell, region))


def is_phone(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each text whether it is a number as `phone` writes it."""
    good = matches(values, _MOROCCAN)
    rare = matches(values, r"^\+") & ~good
    if rare.any():
        known = {cell: _is_e164(cell) for cell in values[rare].unique()}
        good[rare] = [known[cell] for cell in values[rare]]
    return good


def unassigned(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each Moroccan number whether its range was given to nobody yet, as far as `phonenumbers` knows."""
    return matches(values, _MOROCCAN) & ~matches(values, _assigned())


def foreign(values: pd.Series[Any], *, region: str = MOROCCO) -> pd.Series[Any]:
    """Say of each number as `phone` writes it whether it belongs to another country than the region."""
    code = phonenumbers.country_code_for_region(region)
    return matches(values, r"^\+") & ~matches(values, rf"^\+{code}")


def two_numbers(written: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each cell as it was written whether two numbers stand in it, one of which is left."""
    doubtful = matches(written, _TWO)
    if doubtful.any():
        known = {cell: two_numbers_in(cell) for cell in written[doubtful].unique()}
        doubtful[doubtful] = [known[cell] for cell in written[doubtful]]
    return doubtful


def two_numbers_in(written: str) -> bool:
    """Say of one cell whether two things stand in it that have enough digits for a number."""
    halves = _halves(_bare(written))
    return sum(sum(letter.isdigit() for letter in half) >= _FEW_DIGITS for half in halves) > 1


def digits_of(region: str) -> tuple[int, ...]:
    """How many digits a national number of the region has, without its trunk prefix; empty if unknown."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return tuple(metadata.general_desc.possible_length) if metadata and metadata.general_desc else ()


def _common(values: pd.Series[Any]) -> pd.Series[Any]:
    cells = arrow(values)
    todo = pc.fill_null(pc.invert(pc.match_substring_regex(cells, _MOROCCAN)), fill_value=False)
    if not pc.any(todo).as_py():
        return values
    left = cells.filter(todo)
    bare = pc.replace_substring_regex(left, _COMMON, r"0\1")
    still = pc.invert(pc.match_substring_regex(bare, _MOROCCAN))
    if pc.any(still).as_py():
        loose = bare.filter(still)
        # A float's `.0` must not become a digit, so the point goes only where it separates.
        stripped = pc.if_else(
            pc.match_substring_regex(loose, _FLOAT), loose, pc.replace_substring_regex(loose, _BETWEEN, "")
        )
        clear = pc.replace_substring_regex(stripped, _COMMON_LOOSE, r"0\1")
        kept = pc.if_else(pc.match_substring_regex(clear, _MOROCCAN), clear, loose)
        bare = pc.replace_with_mask(bare, still, kept)
    return series(pc.replace_with_mask(cells, todo, bare), values)


def _rare(written: str, region: str) -> str:
    """Read one cell; what is read must be read again as itself, or it is left as it stands."""
    bare = _bare(written)
    halves = _halves(bare)
    numbers = [_number(half, region) for half in halves]
    found = numbers[0] if len(halves) > 1 and all(numbers) else _number(bare, region)
    return found if found and _number(found, region) == found else written


def _halves(bare: str) -> list[str]:
    return [half for half in _APART.split(bare) if half.strip()]


def _bare(written: str) -> str:
    bare = unmarked(written).translate(_PLUS).strip()
    if quoted := _SPREADSHEET_TEXT.fullmatch(bare):
        bare = quoted[1].strip()
    return bare


def _number(bare: str, region: str) -> str | None:
    for _ in range(2):  # `tel: '+212...` and `'tel:+212...` both occur
        bare = _APOSTROPHES.sub("", bare, count=1) if _APOSTROPHES.match(bare) else bare
        before = _BEFORE.match(bare)
        bare = bare[before.end() :] if before else bare
    bare = _STRAY_END.sub("", _AFTER.sub("", _EXTENSION.sub("", bare)))
    if _PAIRS.fullmatch(bare):
        bare = re.sub(r"[/,]", "", bare)
    if re.fullmatch(r"\+?[0-9]+\.0", bare):
        bare = bare.removesuffix(".0")
    bare = _BETWEEN_HERE.sub("", bare)
    if not _ONE.fullmatch(bare):
        return None
    if region == MOROCCO and (found := _NATIONAL.fullmatch(bare)):
        return f"0{found[1]}"
    return _elsewhere(bare, region)


def _elsewhere(bare: str, region: str) -> str | None:
    """A number with its country code, or a national one of a region that is not Morocco, as E.164."""
    bare = f"+{bare[2:]}" if bare.startswith("00") else bare
    if region == MOROCCO and not bare.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(bare, None if bare.startswith("+") else region)
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return written if _is_e164(written) else None


def _is_e164(cell: str) -> bool:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", cell):
        return False
    if cell.startswith("+212"):
        # phonenumbers thinks 01 to 04 and 09 possible.
        return re.fullmatch(r"\+212[5-8][0-9]{8}", cell) is not None
    try:
        parsed = phonenumbers.parse(cell, None)
    except phonenumbers.NumberParseException:
        return False
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    same = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == cell
    return same and possible == phonenumbers.ValidationResult.IS_POSSIBLE


@cache
def _assigned() -> str:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(MOROCCO)
    kinds = ("fixed_line", "mobile", "toll_free", "premium_rate", "voip")
    patterns = [getattr(metadata, kind).national_number_pattern for kind in kinds]
    return rf"^0(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})$"
