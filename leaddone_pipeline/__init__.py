"""Orders and courier statuses into LeadDone, LeadDone's ids back into your tables.

The names load when first used, so that importing this package, or any folder of it but `orchestration`, imports no
dagster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.delivery import DeliveryReport
    from leaddone_pipeline.orchestration import LeadDoneResource, LeadDoneShopComponent

    __version__: str

__all__ = ["DeliveryReport", "LeadDoneResource", "LeadDoneShopComponent", "__version__"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs start-up time that few need

        return version("leaddone-pipeline")
    if name == "DeliveryReport":
        from leaddone_pipeline.delivery import DeliveryReport  # noqa: PLC0415 - imports pandas

        return DeliveryReport
    if name in {"LeadDoneResource", "LeadDoneShopComponent"}:
        from leaddone_pipeline import orchestration  # noqa: PLC0415 - imports dagster

        return getattr(orchestration, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
