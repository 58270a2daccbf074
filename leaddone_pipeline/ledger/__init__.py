"""Delivery state in SQL: the truth about what was claimed, sent and answered."""

from leaddone_pipeline.ledger import (
    claiming,
    concluding,
    leasing,
    openness,
    person,
    probing,
    reading,
    recording,
    settling,
)
from leaddone_pipeline.ledger.claiming import Claim, Claimed
from leaddone_pipeline.ledger.database import SCHEMA_VERSION, Ledger
from leaddone_pipeline.ledger.reading import LINK_COLUMNS
from leaddone_pipeline.ledger.recording import Known
from leaddone_pipeline.ledger.settling import Outcome
from leaddone_pipeline.ledger.status import Status, read_status
from leaddone_pipeline.ledger.tables import Repeats, State

__all__ = [
    "LINK_COLUMNS",
    "SCHEMA_VERSION",
    "Claim",
    "Claimed",
    "Known",
    "Ledger",
    "Outcome",
    "Repeats",
    "State",
    "Status",
    "claiming",
    "concluding",
    "leasing",
    "openness",
    "person",
    "probing",
    "read_status",
    "reading",
    "recording",
    "settling",
]
