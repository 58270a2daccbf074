"""Orders that a wholesale team already has as a DataFrame, sent to LeadDone; their ids joined to the team's table.

No component and no file: the resource in three assets of one's own.
"""

import dagster as dg
import pandas as pd

from leaddone_pipeline import LeadDoneResource

GROUP = "wholesale"


@dg.asset(key=["wholesale", "baskets"], group_name=GROUP)
def baskets() -> pd.DataFrame:
    """The team's own table, under its own names. Here from nowhere; in life from their warehouse."""
    rows = [
        ("W-1001", "Lanterne en laiton", 12, "89.50", "Atelier Essai", "0612345601", "Rabat"),
        ("W-1002", "Tapis tissé", 3, "640.00", "Maison Exemple", "0612345602", "Agadir"),
        ("W-1003", "Plateau gravé", 6, "149.90", "Riad Modèle", "0612345603", "Fès"),
    ]
    names = ["basket", "goods", "pieces", "unit_price", "buyer", "mobile", "town"]
    return pd.DataFrame(rows, columns=names)


@dg.asset(key=["wholesale", "links"], group_name=GROUP, kinds={"leaddone"})
def links(
    context: dg.AssetExecutionContext,
    baskets: pd.DataFrame,
    leaddone_wholesale: LeadDoneResource,
) -> pd.DataFrame:
    """Send the baskets under LeadDone's field names, each once, and keep LeadDone's ids."""
    orders = baskets.rename(
        columns={
            "basket": "id",
            "goods": "article",
            "pieces": "qte",
            "unit_price": "price",
            "buyer": "receiver",
            "mobile": "phone",
            "town": "city",
        }
    )
    report = leaddone_wholesale.send_orders(orders)
    context.add_output_metadata(report.to_metadata())
    return report.links


@dg.asset(key=["wholesale", "confirmed_baskets"], group_name=GROUP)
def confirmed_baskets(baskets: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """The team's table with LeadDone's id beside each basket that LeadDone has."""
    accepted = links[links["outcome"] == "accepted"]
    ids = accepted[["order_id", "internal_id"]].rename(columns={"order_id": "basket"})
    return baskets.merge(ids, on="basket")


@dg.definitions
def defs() -> dg.Definitions:
    """The assets and their account; each shop or team has a resource under a key of its own."""
    leaddone = LeadDoneResource(
        client_id=dg.EnvVar("LEADDONE_CLIENT_ID"),
        webhook_secret=dg.EnvVar("LEADDONE_WEBHOOK_SECRET"),
        shop="wholesale",
    )
    return dg.Definitions(
        assets=[baskets, links, confirmed_baskets],
        jobs=[dg.define_asset_job("wholesale", selection=[baskets, links, confirmed_baskets])],
        resources={"leaddone_wholesale": leaddone},
    )
