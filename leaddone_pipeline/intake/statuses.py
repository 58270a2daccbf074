"""Couriers' words for the state of a parcel -> LeadDone's, or why a word says nothing that may be sent.

A courier's word misleads (sources.md, section 1): so a source says what each means, nothing is guessed, and a word
that no source knows is refused with the nearest known one named.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from leaddone_pipeline.intake.folding import fold_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Meaning", "Vocabulary", "fold_status"]

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_BY_WHOM = re.compile(r" (?:suivi|team)$")
"""Who set it, not what it is: `Reporté ( SUIVI )`, `POSTPONED_TEAM`."""


class Meaning(StrEnum):
    """What a word may stand under in a source's `statuses`, beside LeadDone's own words.

    NOTHING: it is about money, or about the customer, and says nothing of the parcel's way.
    REFUSED: `returned` for a parcel that was on its way, nothing for one that never left.
    STILL: in-progress, but the word is vague: it never takes a parcel back.
    AS_IT_STANDS: the shop wants the word itself at LeadDone.
    """

    NOTHING = "nothing_to_send"
    REFUSED = "refused"
    STILL = "still_in_progress"
    AS_IT_STANDS = "as_it_stands"


class Vocabulary:
    """The words of one source: LeadDone's word, or a Meaning -> the courier's words."""

    def __init__(self, statuses: Mapping[str, Sequence[str]]) -> None:
        self._known = {fold_status(word): said for said, words in statuses.items() for word in words}
        self._written = {fold_status(word): word for words in statuses.values() for word in words}

    def meaning(self, word: str) -> str | None:
        """LeadDone's word or a Meaning; None if the source does not know the word."""
        folded = fold_status(word)
        return self._known.get(folded) or self._known.get(_BY_WHOM.sub("", folded))

    def nearest(self, word: str) -> str | None:
        """The known word that looks most like it, as the source writes it."""
        near = get_close_matches(fold_status(word), self._folded, n=1, cutoff=0.6)
        return self._written[near[0]] if near else None

    @cached_property
    def _folded(self) -> list[str]:
        return sorted(self._known)


@lru_cache(maxsize=65_536)
def fold_status(word: str) -> str:
    """Fold case, accents, Arabic spelling, punctuation, stars and emoji: `Livrée *` and `LIVREE` are one word."""
    return _BETWEEN_WORDS.sub(" ", fold_word(word.replace("&nbsp;", " "))).strip()
