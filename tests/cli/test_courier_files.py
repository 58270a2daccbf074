"""Courier files by the command line: the words of couriers, and what the ledger knows of their parcels."""

import pytest


@pytest.fixture
def account(account, place):
    """The ledger is on each kind of database."""
    return {**account, "LEADDONE_LEDGER_URL": place.url}


HEADER = "Référence,Code d'envoi,Statut,Dernière mise à jour"


def courier(project, *rows, header=HEADER, name="courier.csv"):
    path = project / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_several_events_of_a_parcel_become_its_last_by_time(leaddone, write, project, platform, client_id):
    leaddone("send", "orders", write({"id": "A-1"}))
    history = courier(
        project,
        "A-1,T1,Pas de réponse,21/11/2026 17:00",
        "A-1,T1,Livré *,22/11/2026 18:05",
        "A-1,T1,Mise en distribution,22/11/2026 09:00",
        "A-1,T1,Ramassé,20/11/2026 11:00",
    )

    ran = leaddone("send", "tracking", history, "--json")

    assert (ran.code, ran.json["read"], ran.json["sent"], ran.json["superseded"]) == (0, 4, 1, 3)
    assert platform.orders(client_id)["A-1"]["status"] == "delivered"


@pytest.mark.parametrize("order_id", ["#77", "77"])
@pytest.mark.parametrize("reference", ["#77", "77"])
def test_an_order_meets_its_parcel_with_or_without_a_hash(
    leaddone, write, project, platform, client_id, order_id, reference
):
    leaddone("send", "orders", write({"id": order_id}))

    ran = leaddone("send", "tracking", courier(project, f"{reference},T77,Livré,22/11/2026 18:05"), "--json")

    assert (ran.code, ran.json["accepted"]) == (0, 1)
    assert platform.orders(client_id)["77"]["status"] == "delivered"


def test_a_file_without_references_is_matched_by_tracking_numbers_that_the_ledger_knows(
    leaddone, write, project, platform, client_id
):
    leaddone("send", "orders", write({"id": "A-1"}))
    leaddone("send", "tracking", courier(project, "A-1,T1,Ramassé,20/11/2026 11:00"))
    without = courier(
        project,
        "T1,Livré,22/11/2026 18:05",
        "T2,Livré,22/11/2026 18:05",
        header="Code d'envoi,Statut,Date",
        name="without.csv",
    )

    ahead = leaddone("send", "tracking", without, "--dry-run", "--json")
    ran = leaddone("send", "tracking", without, "--json")

    assert (ahead.json["valid"], ahead.json["quarantined"]) == (1, 1)
    assert (ran.code, ran.json["accepted"], ran.json["quarantined"]) == (3, 1, 1)
    assert "[unknown_parcel]" in ran.err
    assert platform.orders(client_id)["A-1"]["status"] == "delivered"


def test_without_a_ledger_no_parcel_is_known_and_none_is_made_by_a_dry_run(leaddone, project):
    without = courier(project, "T1,Livré,22/11/2026 18:05", header="Code d'envoi,Statut,Date")

    ran = leaddone("send", "tracking", without, "--dry-run", "--json")

    assert (ran.code, ran.json["quarantined"]) == (3, 1)
    assert list((project / ".leaddone").iterdir()) == []


def test_a_refused_parcel_comes_back_only_if_it_had_left(leaddone, write, project, platform, client_id):
    leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}))
    leaddone(
        "send",
        "tracking",
        courier(project, "A-1,T1,Ramassé,20/11/2026 11:00", "A-2,T2,Nouveau Colis,20/11/2026 11:00"),
    )

    refused = courier(project, "A-1,T1,Refusé,22/11/2026 11:00", "A-2,T2,Annulé,22/11/2026 11:00")
    ran = leaddone("send", "tracking", refused, "--json")

    assert (ran.code, ran.json["accepted"], ran.json["skipped"]) == (0, 1, 1)
    assert "says nothing of a parcel on its way: Annulé (1)" in ran.err
    orders = platform.orders(client_id)
    assert (orders["A-1"]["status"], orders["A-2"]["status"]) == ("returned", "in-progress")


def test_a_vague_word_never_takes_a_parcel_back(leaddone, write, project, platform, client_id):
    leaddone("send", "orders", write({"id": "A-1"}))
    leaddone("send", "tracking", courier(project, "A-1,T1,Mise en distribution,22/11/2026 09:00"))

    ran = leaddone("send", "tracking", courier(project, "A-1,T1,En cours,22/11/2026 12:00"), "--json")

    assert (ran.json["superseded"], ran.json["sent"]) == (1, 0)
    assert platform.orders(client_id)["A-1"]["status"] == "out_for_delivery"
