import logging

import dagster as dg
import pandas as pd
import pytest

from leaddone_pipeline import DeliveryReport, LeadDoneResource
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import CredentialsRejected, IntakeError, SettingsError
from leaddone_pipeline.intake import check_orders
from leaddone_pipeline.testing import LeadDoneSandbox

SECRET = "whsec_0a1b2c3d"


@pytest.fixture
def leaddone(project):
    """The resource as a test of someone's pipeline builds it, outside any run."""
    resource = LeadDoneResource(
        client_id="atlas-client", webhook_secret=SECRET, base_url=project.running.base_url
    )
    yield resource
    resource.close()


@pytest.fixture
def frame(make_order):
    return pd.DataFrame([make_order("A1"), make_order("A2", price=1249.5), make_order("A3", phone="12")])


def test_orders_of_a_frame_are_sent_once_and_linked(project, leaddone, frame):
    report = leaddone.send_orders(frame)
    assert isinstance(report, DeliveryReport)
    assert {name: report.counts[name] for name in ("read", "quarantined", "valid", "accepted", "sent")} == {
        "read": 3,
        "quarantined": 1,
        "valid": 2,
        "accepted": 2,
        "sent": 2,
    }
    assert leaddone.send_orders(frame).counts["sent"] == 0
    links = leaddone.links()
    assert dict(zip(links["order_id"], links["internal_id"], strict=True)) == project.taken()
    assert leaddone.links(["A2"])["order_id"].tolist() == ["A2"]


def test_a_script_sends_to_the_address_of_the_projects_dotenv(project, frame, monkeypatch):
    """As the command line does: without it, a shop's script would send to LeadDone itself."""
    monkeypatch.delenv("LEADDONE_BASE_URL")
    (project.root / ".env").write_text(
        f"LEADDONE_BASE_URL={project.running.base_url}\nLEADDONE_LEDGER_URL=sqlite:///{project.root}/other.db\n"
    )
    resource = LeadDoneResource(client_id="atlas-client", webhook_secret=SECRET)

    assert resource.send_orders(frame).counts["accepted"] == 2
    resource.close()

    assert set(project.taken()) == {"A1", "A2"}
    assert (project.root / "other.db").exists()


def test_refused_rows_are_logged_by_code_and_row_and_nothing_personal(leaddone, frame, caplog):
    with caplog.at_level(logging.INFO):
        leaddone.send_orders(frame)
    assert "1 of 3 rows refused and not sent: wrong_length × 1 (row 3)" in caplog.text
    assert "accepted 2" in caplog.text
    for personal in ("0685123456", "Oliviers", "Amal", SECRET):
        assert personal not in caplog.text


def test_statuses_of_a_frame_are_sent(project, leaddone, frame, make_update):
    leaddone.send_orders(frame)
    report = leaddone.send_tracking(pd.DataFrame([make_update("A1"), make_update("A2", "delivered")]))
    assert report.counts["accepted"] == 2
    assert project.platform.orders("atlas-client")["A2"]["status"] == "delivered"


def test_an_order_is_good_once_among_several_frames(project, leaddone, make_order):
    """Delivery.md, rule 14: exact repeats are merged, a differing one is refused."""
    frames = [
        pd.DataFrame([make_order("A1"), make_order("A2")]),
        pd.DataFrame([make_order("A1"), make_order("A2", city="Fès"), make_order("A3")]),
    ]
    report = leaddone.send_orders(iter(frames))
    counts = {name: report.counts[name] for name in ("read", "quarantined", "skipped", "merged", "valid")}
    assert counts == {"read": 5, "quarantined": 1, "skipped": 0, "merged": 1, "valid": 3}
    assert project.platform.orders("atlas-client")["A2"]["city"] == "Casablanca"


def test_a_delivery_that_stops_raises_once_all_is_recorded(project, leaddone, frame):
    project.platform.set_faults(["unauthorized"])
    with pytest.raises(CredentialsRejected) as stopped:
        leaddone.send_orders(frame)
    assert SECRET not in str(stopped.value)
    assert leaddone.links()["outcome"].tolist() == ["pending", "pending"]
    project.platform.set_faults([])
    assert leaddone.send_orders(frame).counts["sent"] == 2


def test_a_frame_without_a_required_column_is_refused_before_anything_is_sent(project, leaddone, frame):
    with pytest.raises(IntakeError, match="phone"):
        leaddone.send_orders(frame.drop(columns="phone"))
    assert not project.platform.requests


def test_it_serves_an_asset_and_is_closed_after_the_run(project, frame, monkeypatch):
    project.connect()
    closed, close = [], LeadDoneResource.close

    def closing(self):
        closed.append(self.shop)
        close(self)

    monkeypatch.setattr(LeadDoneResource, "close", closing)

    @dg.asset
    def sent_orders(leaddone: LeadDoneResource) -> dg.MaterializeResult:
        report = leaddone.send_orders(frame)
        return dg.MaterializeResult(metadata=report.to_metadata())

    resource = LeadDoneResource(
        client_id=dg.EnvVar("LEADDONE_CLIENT_ID"),
        webhook_secret=dg.EnvVar("LEADDONE_WEBHOOK_SECRET"),
        shop="theirs",
    )
    result = dg.materialize([sent_orders], resources={"leaddone": resource}, instance=project.instance)
    told = result.asset_materializations_for_node("sent_orders")[0].metadata
    assert told["accepted"].value == 2
    assert closed == ["theirs"]


def test_the_ledger_lies_in_the_project_of_the_named_folder(project, frame, monkeypatch, tmp_path):
    """Delivery.md, rule 2: no root, no guess."""
    monkeypatch.chdir(tmp_path)
    given = {"client_id": "atlas-client", "webhook_secret": SECRET}
    deep = project.root / "defs" / "atlas"
    deep.mkdir(parents=True)
    resource = LeadDoneResource(**given, root=str(deep))
    assert resource.ledger_place.endswith("/project/.leaddone/ledger.db")
    resource.close()
    with pytest.raises(SettingsError, match="LEADDONE_LEDGER_URL"):
        LeadDoneResource(**given).send_orders(frame)


@pytest.mark.parametrize(
    ("field", "value"), [("guarantee", "exactly_once"), ("batch_size", 0), ("base_url", "http://example.com")]
)
def test_a_setting_that_means_nothing_is_named_with_its_remedy(project, frame, field, value):  # noqa: ARG001 - the ledger's place
    resource = LeadDoneResource(**{"client_id": "c", "webhook_secret": SECRET, field: value})
    with pytest.raises(SettingsError, match=field) as refused:
        resource.send_orders(frame)
    assert SECRET not in repr(refused.value)


def test_a_proxy_or_certificates_that_cannot_be_are_errors_of_the_settings(project, frame, monkeypatch):  # noqa: ARG001 - the ledger's place
    resource = LeadDoneResource(client_id="c", webhook_secret=SECRET, base_url="https://leaddone.example/api")
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy:70")
    with pytest.raises(SettingsError, match="Write HTTPS_PROXY"):
        resource.send_orders(frame)
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(SettingsError, match="SSL_CERT_FILE") as refused:
        resource.send_orders(frame)
    assert "Name certificates" in refused.value.remedy


def test_the_secret_stands_in_no_repr_and_no_error():
    resource = LeadDoneResource(
        client_id="c", webhook_secret=SECRET, ledger_url=f"postgresql://u:{SECRET}@h/d"
    )
    assert SECRET not in repr(resource) + str(resource)
    with pytest.raises(Exception, match="batch_size") as refused:
        LeadDoneResource(client_id="c", webhook_secret=SECRET, batch_size="many")
    assert SECRET not in str(refused.value)
    with pytest.raises(Exception, match="webhook_secret") as refused:
        LeadDoneResource(client_id="c", webhook_secret=[SECRET])
    assert SECRET not in str(refused.value)


def test_every_field_is_described():
    assert all(field.description for field in LeadDoneResource.model_fields.values())


@pytest.fixture
def sandboxed(tmp_path):
    """The resource as the README shows it for tests: a LeadDone without a server, a ledger of its own."""
    sandbox = LeadDoneSandbox()

    class SandboxedLeadDone(LeadDoneResource):
        def transport(self):
            return sandbox.transport

    def make(shop="theirs"):
        return SandboxedLeadDone(
            client_id=sandbox.client_id,
            webhook_secret=sandbox.webhook_secret,
            base_url=sandbox.base_url,
            ledger_url=f"sqlite:///{tmp_path}/ledger.db",
            shop=shop,
        )

    return sandbox, make


def test_an_asset_is_tested_without_a_server_by_a_context_of_its_own(sandboxed, frame):
    sandbox, make = sandboxed

    @dg.asset
    def their_links(context: dg.AssetExecutionContext, leaddone: LeadDoneResource) -> pd.DataFrame:
        context.log.info("sending")
        return leaddone.send_orders(frame).links

    with dg.build_asset_context(resources={"leaddone": make()}) as context:
        links = their_links(context)
    assert set(links["order_id"]) == set(sandbox.orders) == {"A1", "A2"}


def test_it_serves_an_op_and_several_shops_in_one_run(sandboxed, frame, make_order):
    sandbox, make = sandboxed

    @dg.op
    def send(first: LeadDoneResource, second: LeadDoneResource) -> dict[str, int]:
        first.send_orders(frame)
        second.send_orders(pd.DataFrame([make_order("B1")]))
        return {one.shop: len(one.links()) for one in (first, second)}

    @dg.job(resource_defs={"first": make("first"), "second": make("second")})
    def both():
        send()

    result = both.execute_in_process()
    assert result.output_for_node("send") == {"first": 2, "second": 1}
    assert set(sandbox.orders) == {"A1", "A2", "B1"}


def test_what_it_says_stands_in_the_runs_log(sandboxed, frame):
    _, make = sandboxed

    @dg.asset
    def sent(leaddone: LeadDoneResource) -> None:
        leaddone.send_orders(frame)

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([sent], resources={"leaddone": make()}, instance=instance)
        told = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any("accepted 2" in line for line in told)
    assert any("The ledger is at" in line for line in told)


def test_it_is_closed_when_a_run_fails_too(sandboxed, frame, monkeypatch):
    _, make = sandboxed
    closed = []
    monkeypatch.setattr(LeadDoneResource, "close", lambda self: closed.append(self.shop))

    @dg.asset
    def failing(leaddone: LeadDoneResource) -> None:
        leaddone.send_orders(frame)
        raise ZeroDivisionError

    result = dg.materialize([failing], resources={"leaddone": make()}, raise_on_error=False)
    assert not result.success
    assert closed == ["theirs"]


def test_recording_sends_nothing_and_says_whether_anything_waits(sandboxed, make_order):
    """Delivery.md, rule 5: what a stopped run did not try stands in the ledger as pending."""
    sandbox, make = sandboxed
    leaddone = make()
    checked = check_orders(pd.DataFrame([make_order("A1")])).frame
    assert leaddone.record(Kind.ORDERS, [checked], day="2026-11-16")
    assert leaddone.links(day="2026-11-16")["outcome"].tolist() == ["pending"]
    leaddone.send_orders(pd.DataFrame([make_order("A1")]))
    assert not leaddone.record(Kind.ORDERS, [checked], day="2026-11-16")
    assert len(sandbox.requests) == 1
    leaddone.close()
