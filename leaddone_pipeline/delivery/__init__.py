"""Claim, send, record: how a record gets to LeadDone once, and its outcome back."""

from leaddone_pipeline.delivery.deliver import Delivery, Progress
from leaddone_pipeline.delivery.lease import Clock
from leaddone_pipeline.delivery.report import OUTCOMES, ROWS, DeliveryReport

__all__ = ["OUTCOMES", "ROWS", "Clock", "Delivery", "DeliveryReport", "Progress"]
