"""A LeadDone to try things on. `app` serves it over HTTP and needs the extra `sandbox`; nothing here does."""

from leaddone_pipeline.sandbox.exchange import Request, Response
from leaddone_pipeline.sandbox.faults import Fault
from leaddone_pipeline.sandbox.order_book import REFUSED_CITY, Repeats
from leaddone_pipeline.sandbox.platform import BASE_PATH, LoggedRequest, Platform

__all__ = [
    "BASE_PATH",
    "REFUSED_CITY",
    "Fault",
    "LoggedRequest",
    "Platform",
    "Repeats",
    "Request",
    "Response",
]
