"""Two shops in a project that has an IO manager, an executor and automation of its own."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from leaddone_pipeline import LeadDoneShopComponent

# Dagster's own loading of YAML; none of our doing, and of every project's.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")

DAY = "2026-11-16"
SHOP = """
type: leaddone_pipeline.LeadDoneShopComponent
attributes:
  shop: {shop}
  orders_files: {files}
  start_date: "2026-11-16"
  days_per_run: 1
"""
REPORT = dg.AssetKey(["report"])
THEIRS = """
import os
import pickle
from pathlib import Path

import dagster as dg

DAYS = dg.DailyPartitionsDefinition("2026-11-16", timezone="Africa/Casablanca", end_offset=1)
LINKS = {name: dg.AssetIn(key=[name, "order_links"]) for name in ("atlas", "medina")}


class Shelf(dg.ConfigurableIOManager):
    folder: str

    def _file(self, context) -> Path:
        return Path(self.folder, *context.asset_key.path, f"{context.partition_key}.pickle")

    def handle_output(self, context, obj) -> None:
        self._file(context).parent.mkdir(parents=True, exist_ok=True)
        self._file(context).write_bytes(pickle.dumps(obj))

    def load_input(self, context):
        return pickle.loads(self._file(context).read_bytes())


@dg.asset(ins=LINKS, partitions_def=DAYS, automation_condition=dg.AutomationCondition.any_deps_updated())
def report(atlas, medina) -> int:
    return len(atlas) + len(medina)


make_report = dg.define_asset_job("make_report", selection=[report])


@dg.sensor(job=make_report)
def mailbox():
    yield dg.RunRequest(partition_key="2026-11-16", run_key="a letter")


@dg.schedule(job=make_report, cron_schedule="0 6 * * *")
def every_morning():
    return dg.RunRequest(partition_key="2026-11-16")


@dg.definitions
def theirs() -> dg.Definitions:
    return dg.Definitions(
        assets=[report],
        jobs=[make_report],
        schedules=[every_morning],
        sensors=[mailbox, dg.AutomationConditionSensorDefinition("automation", target="*")],
        executor=dg.in_process_executor.configured({}, name="theirs"),
        resources={"io_manager": Shelf(folder=os.environ["SHELF"])},
    )
"""


@pytest.fixture
def defs(project, make_order, monkeypatch):
    """The whole project, loaded from its `defs` folder as Dagster loads it."""
    project.connect()
    monkeypatch.setenv("SHELF", str(project.root / "shelf"))
    monkeypatch.setenv("LEADDONE_LEDGER_URL", f"sqlite:///{project.root}/.leaddone/ledger.db")
    with create_defs_folder_sandbox() as folder:
        (folder.project_root / "pyproject.toml").touch()
        for shop in ("atlas", "medina"):
            project.write(f"{shop}-{DAY}.csv", [make_order(f"{shop}-1"), make_order(f"{shop}-2")])
            path = folder.scaffold_component(component_cls=LeadDoneShopComponent, defs_path=shop)
            text = SHOP.format(shop=shop, files=f"{project.root}/{shop}-{{date}}.csv")
            (path / "defs.yaml").write_text(text)
        (folder.defs_folder_path / "theirs.py").write_text(THEIRS)
        with folder.build_all_defs() as built:
            yield built


def test_they_load_together_and_materialize_with_the_projects_own_means(defs, project):
    dg.Definitions.validate_loadable(defs)
    before = dg.evaluate_automation_conditions(defs, project.instance)
    assert before.total_requested == 0

    for shop in ("atlas", "medina"):
        job = defs.resolve_job_def(f"{shop}_deliver")
        assert job.executor_def.name == "theirs"
        assert job.execute_in_process(instance=project.instance, partition_key=DAY).success
    assert set(project.taken()) == {"atlas-1", "atlas-2", "medina-1", "medina-2"}
    shelf = project.root / "shelf"
    for shop in ("atlas", "medina"):
        stored = {path.parent.name for path in (shelf / shop).rglob(f"{DAY}.pickle")}
        assert stored == {"orders", "orders_quarantine", "order_links"}

    after = dg.evaluate_automation_conditions(defs, project.instance, cursor=before.cursor)
    assert after.get_requested_partitions(REPORT) == {DAY}
    assert after.total_requested == 1
    report = defs.resolve_job_def("make_report")
    made = report.execute_in_process(instance=project.instance, partition_key=DAY)
    assert made.output_for_node("report") == 4


def test_sensors_and_schedules_of_theirs_and_ours_tick_side_by_side(defs, project):
    sensors = {sensor.name: sensor for sensor in defs.sensors}
    schedules = {schedule.name: schedule for schedule in defs.schedules}
    ours = {f"{shop}_{name}" for shop in ("atlas", "medina") for name in ("files", "open_days")}
    assert set(sensors) == ours | {"mailbox", "automation"}
    assert set(schedules) == {"every_morning", "atlas_deliver_schedule", "medina_deliver_schedule"}

    repository = defs.get_repository_def()
    asked = {}
    for name in ours | {"mailbox"}:
        context = dg.build_sensor_context(instance=project.instance, repository_def=repository)
        asked[name] = len(sensors[name].evaluate_tick(context).run_requests or [])
    assert asked == dict.fromkeys(ours, 0) | {"mailbox": 1}
    at = datetime(2026, 11, 16, 6, tzinfo=UTC)
    for name, schedule in schedules.items():
        context = dg.build_schedule_context(
            instance=project.instance, repository_def=repository, scheduled_execution_time=at
        )
        requests = schedule.evaluate_tick(context).run_requests
        assert [request.partition_key for request in requests] == [DAY], name
