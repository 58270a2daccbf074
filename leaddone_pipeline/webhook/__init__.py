"""LeadDone's contract: records, their bytes and signature, one attempt over HTTP, and what its answer means.

Example:
    with LeadDoneClient(Credentials("my-shop", secret)) as leaddone:
        lamp = Order(id="1001", article="Lamp", price=Decimal("199"), phone="0600000000")
        verdict = leaddone.send_orders([lamp])
"""

from leaddone_pipeline.webhook.answers import Answer, Failure, Meaning, Verdict, read_answer
from leaddone_pipeline.webhook.batching import EncodedRecord, batches
from leaddone_pipeline.webhook.client import LeadDoneClient
from leaddone_pipeline.webhook.encoding import JsonValue, body, canonical, encode
from leaddone_pipeline.webhook.masking import mask, mask_all
from leaddone_pipeline.webhook.matching import Fate, Said
from leaddone_pipeline.webhook.records import Order, Record, TrackingUpdate
from leaddone_pipeline.webhook.signing import sign, verify

__all__ = [
    "Answer",
    "EncodedRecord",
    "Failure",
    "Fate",
    "JsonValue",
    "LeadDoneClient",
    "Meaning",
    "Order",
    "Record",
    "Said",
    "TrackingUpdate",
    "Verdict",
    "batches",
    "body",
    "canonical",
    "encode",
    "mask",
    "mask_all",
    "read_answer",
    "sign",
    "verify",
]
