"""Dagster and nothing else: fields become calls of `delivery`, outcomes become metadata."""

from leaddone_pipeline.orchestration.component import LeadDoneShopComponent
from leaddone_pipeline.orchestration.resource import LeadDoneResource

__all__ = ["LeadDoneResource", "LeadDoneShopComponent"]
