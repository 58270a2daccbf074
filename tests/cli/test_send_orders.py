import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from leaddone_pipeline.sandbox import REFUSED_CITY, Platform
from leaddone_pipeline.sandbox.app import serve

ROWS = ("read", "quarantined", "skipped", "merged", "valid")
OUTCOMES = ("accepted", "rejected", "unconfirmed", "pending")
KEYS = ["shop", "kind", *ROWS, *OUTCOMES, "changed", "cancelled_late", "sent", "requests", "elapsed_s"]


def assert_laws(counts):
    assert counts["read"] == sum(counts[name] for name in ("quarantined", "skipped", "merged", "valid"))
    assert counts["valid"] == sum(counts[name] for name in OUTCOMES)


def test_good_orders_are_accepted_and_the_code_is_0(leaddone, write, platform, client_id):
    ran = leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--json")
    assert ran.code == 0
    assert list(ran.json) == KEYS
    assert_laws(ran.json)
    assert (ran.json["shop"], ran.json["kind"]) == ("default", "orders")
    assert (ran.json["valid"], ran.json["accepted"], ran.json["sent"], ran.json["requests"]) == (2, 2, 2, 1)
    assert set(platform.orders(client_id)) == {"A-1", "A-2"}


def test_a_rerun_sends_nothing_under_another_shop_name_too(leaddone, write, platform):
    orders = write({"id": "A-1"}, {"id": "A-2"})
    leaddone("send", "orders", orders)
    again = leaddone("send", "orders", orders, "--json")
    other = leaddone("send", "orders", orders, "--shop", "other", "--json")
    assert [ran.json["sent"] for ran in (again, other)] == [0, 0]
    assert [ran.json["accepted"] for ran in (again, other)] == [2, 2]
    assert (again.code, other.code) == (0, 0)
    assert [request.ids for request in platform.requests] == [("A-1", "A-2")]


def test_another_address_is_another_account(leaddone, write, client_id, secret):
    orders = write({"id": "A-1"})
    leaddone("send", "orders", orders)
    with serve(Platform(credentials={client_id: secret})) as second:
        ran = leaddone("send", "orders", orders, "--json", env={"LEADDONE_BASE_URL": second.base_url})
        assert set(second.platform.orders(client_id)) == {"A-1"}
    assert (ran.code, ran.json["sent"]) == (0, 1)


def test_links_are_written_as_csv_and_parquet(leaddone, write, project, read_csv, platform, client_id):
    orders = write({"id": "A-1"}, {"id": "A-2", "city": REFUSED_CITY})
    ran = leaddone("send", "orders", orders, "--links", "links.csv")
    leaddone("send", "orders", orders, "--links", "links.parquet")
    leaddone("links", "--output", "all.csv")
    links = read_csv(project / "links.csv")
    assert ran.code == 3
    assert [(link["order_id"], link["internal_id"], link["outcome"]) for link in links] == [
        ("A-1", platform.orders(client_id)["A-1"]["internal_id"], "accepted"),
        ("A-2", "", "rejected"),
    ]
    assert links == read_csv(project / "all.csv")
    stored = pd.read_parquet(project / "links.parquet")
    assert stored["order_id"].tolist() == ["A-1", "A-2"]


@pytest.mark.parametrize("option", ["--links", "--quarantine"])
def test_a_table_of_another_ending_is_refused_before_anything_is_sent(leaddone, write, platform, option):
    ran = leaddone("send", "orders", write({"id": "A-1"}), option, "table.xlsx")
    assert ran.code == 2
    assert ".parquet" in ran.err
    assert not platform.requests


@pytest.mark.parametrize("named", ["exports", "exports/*.csv", "exports/orders.csv#"])
@pytest.mark.parametrize("option", ["--links", "--quarantine"])
def test_nor_one_that_is_named_by_its_folder(leaddone, write, project, option, named):
    (project / "exports").mkdir()
    kept = write({"id": "A-1"}, {"id": "A-2", "phone": "12"}).rename(project / "exports" / "orders.csv")
    before = kept.read_bytes()
    ran = leaddone("send", "orders", named, option, kept, "--dry-run")
    assert ran.code == 2
    assert kept.read_bytes() == before


def test_refused_rows_stand_in_the_quarantine_file_and_their_reasons_on_stderr(
    leaddone, write, project, read_csv
):
    orders = write({"id": "A-1"}, {"id": "A-2", "phone": "0791", "receiver": "Amina Plantée"})
    ran = leaddone("send", "orders", orders, "--json")
    assert ran.code == 3
    assert_laws(ran.json)
    assert (ran.json["read"], ran.json["quarantined"], ran.json["accepted"]) == (2, 1, 1)
    refused = read_csv(project / "orders.csv.quarantine.csv")
    assert [(row["order_id"], row["code"]) for row in refused] == [("A-2", "wrong_length")]
    assert 'orders.csv, row 3, column "phone" [wrong_length]' in ran.err
    assert "orders.csv.quarantine.csv" in ran.err
    assert "Plantée" not in ran.err
    assert (project / "orders.csv.quarantine.csv").stat().st_mode & 0o077 == 0


def test_the_quarantine_goes_where_it_is_told_and_ten_reasons_are_enough(leaddone, write, project, read_csv):
    orders = write(*({"id": f"A-{number}", "price": "-1"} for number in range(15)))
    ran = leaddone("send", "orders", orders, "--quarantine", "refused.csv")
    leaddone("send", "orders", orders, "--quarantine", "refused.parquet")
    assert len(read_csv(project / "refused.csv")) == 15
    assert len(pd.read_parquet(project / "refused.parquet")) == 15
    assert ran.err.count("[negative]") == 10
    assert not (project / "orders.csv.quarantine.csv").exists()


def test_without_refused_rows_there_is_no_quarantine_file(leaddone, write, project):
    leaddone("send", "orders", write({"id": "A-1"}))
    assert not list(project.glob("*.quarantine.csv"))


def test_the_counts_are_shown_as_a_table_without_json(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--shop", "medina")
    assert ran.out.startswith("orders of shop medina\n")
    assert {"accepted": "1", "pending": "0"}.items() <= dict(
        line.rsplit(maxsplit=1) for line in map(str.strip, ran.out.splitlines()[1:])
    ).items()


def test_the_place_of_the_ledger_is_said_and_that_it_is_new(leaddone, write, project):
    orders = write({"id": "A-1"})
    first, second = leaddone("send", "orders", orders), leaddone("send", "orders", orders)
    place = str(project / ".leaddone" / "ledger.db")
    assert f"{place} (newly made)" in first.err
    assert place in second.err
    assert "newly made" not in second.err


def test_limit_takes_the_first_orders(leaddone, write, platform, client_id):
    ran = leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--limit", 1, "--json")
    assert ran.json["read"] == 1
    assert set(platform.orders(client_id)) == {"A-1"}


def test_batch_size_bounds_a_request(leaddone, write):
    ran = leaddone(
        "send", "orders", write(*({"id": f"A-{n}"} for n in range(5))), "--batch-size", 2, "--json"
    )
    assert ran.json["requests"] == 3


def test_one_unreadable_file_of_two_is_code_3(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}), "missing.csv", "--json")
    assert ran.code == 3
    assert ran.json["accepted"] == 1
    assert "missing.csv: there is no such file" in ran.err


def test_most_orders_skipped_as_paid_is_code_3_until_someone_says_that_it_is_right(leaddone, project):
    header = (
        "Name,Financial Status,Total,Lineitem name,Lineitem price,Lineitem quantity,Shipping Phone,Currency"
    )
    rows = [f"#{n},paid,100,Tee,100,1,0791000001,MAD" for n in (1, 2)] + [
        "#3,pending,100,Tee,100,1,0791000001,MAD"
    ]
    (project / "shop.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (project / "mine.yaml").write_text("extends: shopify\npaid: skip\n", encoding="utf-8")
    unsaid = leaddone("send", "orders", "shop.csv", "--json")
    said = leaddone("send", "orders", "shop.csv", "--source", "mine.yaml", "--json")
    assert (unsaid.json["skipped"], unsaid.json["accepted"], unsaid.code) == (2, 1, 3)
    assert "set paid: send" in unsaid.err
    assert (said.json["skipped"], said.code) == (2, 0)


def test_skipped_orders_are_told_by_reason_and_named_in_the_links(leaddone, project, read_csv):
    header = "Name,Financial Status,Total,Lineitem name,Lineitem price,Lineitem quantity,Shipping Phone,Cancelled at"
    rows = [
        "#1,pending,100,Tee,100,1,0791000001,",
        "#2,pending,150,Tee,100,1,0791000001,2026-11-20",
        "#2,,,Cap,50,1,,",
        "#3,pending,100,Tee,100,1,0791000001,2026-11-20",
        "#4,refunded,100,Tee,100,1,0791000001,",
    ]
    (project / "shop.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    ran = leaddone("send", "orders", "shop.csv", "--json")

    assert (ran.code, ran.json["read"], ran.json["skipped"], ran.json["valid"]) == (0, 5, 4, 1)
    assert "Orders skipped: cancelled (2), refunded (1); `leaddone links --output PATH` names each" in ran.err
    leaddone("links", "--output", "all.csv")
    named = [
        (row["order_id"], row["message"], row["source_file"], row["source_row"])
        for row in read_csv(project / "all.csv")
        if row["outcome"] == "skipped"
    ]
    assert named == [
        ("2", "cancelled", "shop.csv", "3"),
        ("3", "cancelled", "shop.csv", "5"),
        ("4", "refunded", "shop.csv", "6"),
    ]


def test_an_order_cancelled_too_late_is_code_3_and_status_names_it(leaddone, project):
    header = "Name,Financial Status,Total,Lineitem name,Lineitem price,Lineitem quantity,Shipping Phone,Cancelled at"
    sent = project / "shop.csv"
    sent.write_text(f"{header}\n#7,pending,100,Tee,100,1,0791000001,\n", encoding="utf-8")
    leaddone("send", "orders", sent)
    sent.write_text(f"{header}\n#7,pending,100,Tee,100,1,0791000001,2026-11-20\n", encoding="utf-8")
    ran = leaddone("send", "orders", sent, "--json")
    assert (ran.code, ran.json["cancelled_late"]) == (3, 1)
    assert "Call LeadDone" in ran.err
    assert leaddone("status", "--json").json["cancelled_late"] == ["7"]


def test_a_lost_answer_leaves_an_order_unconfirmed_and_a_person_settles_it(
    leaddone, write, platform, client_id
):
    orders = write({"id": "A-1"})
    platform.set_faults(["lost_answer:1"])
    ran = leaddone("send", "orders", orders, "--guarantee", "at_most_once", "--json")
    assert (ran.code, ran.json["unconfirmed"]) == (1, 1)  # no answer settled anything: rule 18
    assert_laws(ran.json)
    internal_id = platform.orders(client_id)["A-1"]["internal_id"]
    assert leaddone("resolve", "A-1", "--accepted", internal_id).code == 0
    again = leaddone("send", "orders", orders, "--json")
    assert (again.code, again.json["accepted"], again.json["sent"]) == (0, 1, 0)


def test_dry_run_says_what_would_leave_and_touches_nothing(leaddone, write, project, platform):
    ran = leaddone(
        "send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--dry-run", "--batch-size", 1, "--json"
    )
    assert ran.code == 0
    assert_laws(ran.json)
    assert ran.json["would_send_records"] == ran.json["would_send_batches"] == 2
    assert ran.json["would_send_bytes"] > 100
    assert "nothing was sent" in ran.err
    assert not list((project / ".leaddone").iterdir())
    assert not platform.requests


def test_dry_run_says_how_each_file_is_read_and_how_amounts_are_sent(leaddone, project, platform):
    header = "Name,Financial Status,Total,Currency,Lineitem name,Lineitem price,Lineitem quantity,Shipping Phone,Cancelled at,Outstanding Balance,Payment Method,Fulfillment Status"
    rows = [
        "#1,pending,320,MAD,Tee,100,3,0791000001,,,,",
        "#2,pending,200,MAD,Tee,100,2,0791000001,,,,",
        "#3,pending,150,MAD,Tee,100,1,0791000001,,,,",
        "#3,,,,Cap,50,1,,,,,",
        "#4,pending,100,MAD,Tee,100,1,079,,,,",
        "#5,refunded,100,MAD,Tee,100,1,0791000001,,,,",
        "#6,pending,100,MAD,Tee,100,1,0791000001,2026-11-23,,,",
        "#7,voided,100,MAD,Tee,100,1,0791000001,2026-11-23,,,",
    ]
    (project / "shop.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (project / "hand.csv").write_text(
        "n° commande,client,tél,produit,qté,prix\n9,Amina,0791000001,Savon,1,40\n10,Amina,0791000001,Savon,1,0\n",
        encoding="utf-8",
    )
    ran = leaddone("send", "orders", "shop.csv", "hand.csv", "--dry-run", "--json")
    assert ran.code == 3
    said = ran.err.splitlines()
    for line in (
        "shop.csv: source shopify, since it has the columns Lineitem name, Lineitem price, Lineitem quantity, Financial Status, Fulfillment Status.",
        "  id               <- Name",
        "  phone            <- Shipping Phone",
        "  owed             <- Outstanding Balance | Total",
        "  8 rows: 3 valid, 1 refused, 3 skipped, 1 merged.",
        "  Orders skipped: cancelled (2), refunded (1).",
        "  Quantities went into the article of 2 orders, so that the amount is right:",
        '    amount 320 sent as "3 × Tee", qte 1',
        '    amount 150 sent as "1 × Tee + 1 × Cap", qte 1',
        "hand.csv: source sheet, since it has columns for id, article, price or bare_price or owed, phone, and no mark of a shop system.",
        "  bare_price       <- prix",
        "  2 rows: 1 valid, 1 refused, 0 skipped, 0 merged.",
    ):
        assert line in said
    assert 'hand.csv, row 3, column "prix" [zero]' in ran.err
    assert 'shop.csv, row 6, column "Shipping Phone" [wrong_length]' in ran.err
    assert ran.json["would_send_records"] == 4
    assert not list((project / ".leaddone").iterdir())
    assert not platform.requests


def test_a_folder_a_glob_and_an_address_are_read(leaddone, write, project, platform, client_id):
    exports = project / "exports"
    exports.mkdir()
    for number in (1, 2):
        write({"id": f"A-{number}"}).rename(exports / f"orders_{number}.csv")

    for place in ("exports", "exports/*.csv", f"file://{exports}", f"local://{exports}"):
        ran = leaddone("send", "orders", place, "--json")
        assert (ran.code, ran.json["read"], ran.json["accepted"]) == (0, 2, 2)
    assert set(platform.orders(client_id)) == {"A-1", "A-2"}


def test_one_file_of_paid_orders_among_others_is_judged_with_the_orders_of_the_call(leaddone, write, project):
    """`paid` is unset: it is most orders of the whole call that make it code 3, not those of one of its files."""
    header = "Name,Financial Status,Fulfillment Status,Total,Lineitem name,Lineitem price,Lineitem quantity,Shipping Phone"
    (project / "card.csv").write_text(f"{header}\n#1,paid,,100,Tee,100,1,0791000001\n", encoding="utf-8")
    orders = write({"id": "A-1"}, {"id": "A-2"})
    few = leaddone("send", "orders", orders, "card.csv", "--json")
    alone = leaddone("send", "orders", "card.csv", "--json")
    assert (few.code, few.json["accepted"], few.json["skipped"]) == (0, 2, 1)
    assert (alone.code, alone.json["skipped"]) == (3, 1)
    assert "skipped as already paid; set paid: send" in few.err


def test_dry_run_knows_what_the_ledger_has_as_accepted(leaddone, write, project):
    leaddone("send", "orders", write({"id": "A-1"}))
    before = (project / ".leaddone" / "ledger.db").read_bytes()
    ran = leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--dry-run", "--json")
    assert (ran.json["accepted"], ran.json["pending"], ran.json["would_send_records"]) == (1, 1, 1)
    assert "accepted 1 of the orders already" in ran.err
    assert (project / ".leaddone" / "ledger.db").read_bytes() == before


def test_dry_run_needs_the_credentials(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--dry-run", env={"LEADDONE_WEBHOOK_SECRET": None})
    assert ran.code == 2


def test_settings_are_read_from_the_projects_dotenv(leaddone, write, project, client_id, secret, served):
    (project / ".env").write_text(
        f"LEADDONE_CLIENT_ID={client_id}\nLEADDONE_WEBHOOK_SECRET={secret}\nLEADDONE_BASE_URL={served.base_url}\n",
        encoding="utf-8",
    )
    unset = dict.fromkeys(("LEADDONE_CLIENT_ID", "LEADDONE_WEBHOOK_SECRET", "LEADDONE_BASE_URL"))
    assert leaddone("send", "orders", write({"id": "A-1"}), env=unset).code == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_by_which_signal_and_the_next_goes_on(
    write, project, account, leaddone, platform, sent, code
):
    """The 503 with Retry-After keeps the run waiting, so that it is interrupted in mid-delivery."""
    orders = write(*({"id": f"A-{n}"} for n in range(4)))
    platform.set_faults(["maintenance"])
    process = subprocess.Popen(
        [sys.executable, "-m", "leaddone_pipeline.cli", "send", "orders", str(orders), "--batch-size", "2"],
        env=account,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's background job ignores Ctrl-C; a test must not depend on how it was started.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    while not platform.requests:
        assert process.poll() is None
    os.kill(process.pid, sent)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    assert b"Traceback" not in err
    assert b"Interrupted" in err
    platform.set_faults([])
    assert json.loads(leaddone("send", "orders", orders, "--json").out)["accepted"] == 4


def test_a_closed_pipe_ends_without_a_traceback(project, account):
    command = f"{sys.executable} -m leaddone_pipeline.cli sources | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=account, cwd=project, capture_output=True, check=False)
    assert done.returncode == 130
    assert done.stderr == b""


def test_a_pipe_closed_after_a_delivery_ends_without_a_traceback(write, project, account):
    write({"id": "A-1"})
    send = f"{sys.executable} -m leaddone_pipeline.cli send orders orders.csv"
    command = f"{send} 2>err | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=account, cwd=project, capture_output=True, check=False)
    assert done.returncode == 130
    assert "Exception" not in (project / "err").read_text()
