import inspect
import re
import subprocess
import sys
import textwrap
import traceback
from datetime import date, timedelta

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox
from pydantic import ValidationError

from leaddone_pipeline import LeadDoneShopComponent
from leaddone_pipeline.errors import IntakeError, SettingsError

DAY = "2026-11-16"

# Dagster's own loading of YAML; none of our doing, and of every project's.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")


def docstring_yaml():
    """The `defs.yaml` that stands in the class's docstring."""
    doc = inspect.getdoc(LeadDoneShopComponent)
    return doc.split("```yaml\n")[1].split("```")[0]


@pytest.fixture
def folder():
    """A project of Dagster's own making; `place` writes a defs.yaml and gives its definitions."""
    with create_defs_folder_sandbox() as sandbox:
        (sandbox.project_root / "pyproject.toml").touch()
        yield sandbox


def place(folder, text, name="atlas"):
    path = folder.scaffold_component(component_cls=LeadDoneShopComponent, defs_path=name)
    (path / "defs.yaml").write_text(text, encoding="utf-8")
    return path


def test_the_yaml_of_the_docstring_delivers_a_day(folder, project, make_order, monkeypatch):
    project.connect()
    data = folder.project_root / "data" / "atlas" / "orders"
    project.write(data / f"orders-{DAY}.csv", [make_order("A1")])
    monkeypatch.setenv("LEADDONE_LEDGER_URL", f"sqlite:///{project.root}/.leaddone/ledger.db")
    path = place(folder, docstring_yaml())
    with folder.load_component_and_build_defs(path) as (component, defs):
        assert component.shop == "atlas"
        result = dg.materialize(
            list(defs.assets),
            resources={**defs.resources, "io_manager": project.tables},
            instance=project.instance,
            partition_key=DAY,
        )
    assert result.success
    assert set(project.taken()) == {"A1"}


def test_two_shops_and_a_project_with_its_own_io_manager_and_executor_load_together(folder):
    text = docstring_yaml()
    place(folder, text)
    place(folder, text.replace("atlas", "medina"), "medina")
    own = dg.Definitions(resources={"io_manager": dg.mem_io_manager}, executor=dg.in_process_executor)
    with folder.build_all_defs() as shops:
        defs = dg.Definitions.merge(shops, own)
        dg.Definitions.validate_loadable(defs)
    assert {"leaddone_atlas", "leaddone_medina"} <= set(defs.resources)
    assert {key.path[0] for key in defs.resolve_all_asset_keys()} == {"atlas", "medina"}


def test_it_defines_one_resource_a_job_and_a_schedule(project):
    defs = project.defs()
    assert list(defs.resources) == ["leaddone_atlas"]
    assert [job.name for job in defs.jobs] == ["atlas_deliver"]
    assert len(list(defs.schedules)) == 1
    assert list(project.defs(schedule=None).schedules) == []


def test_days_begin_in_the_shops_time_zone_and_today_is_one(project):
    asset = next(iter(project.defs().assets))
    assert asset.partitions_def.timezone == "Africa/Casablanca"
    assert asset.partitions_def.end_offset == 1
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    one_a_run = next(iter(project.defs(days_per_run=1).assets))
    assert one_a_run.backfill_policy == dg.BackfillPolicy.multi_run(1)
    assert next(iter(project.defs(days_per_run=0).assets)).backfill_policy == dg.BackfillPolicy.single_run()


def test_group_owners_tags_and_pool_reach_the_assets(project):
    told = {
        "owners": ["team:shop"],
        "tags": {"country": "morocco"},
        "group_name": "sales",
        "pool": "leaddone",
    }
    for asset in project.defs(**told).assets:
        for spec in asset.specs:
            assert spec.owners == ["team:shop"]
            assert spec.tags["country"] == "morocco"
            assert spec.group_name == "sales"
        if {"order_deliveries", "tracking_deliveries"} & {key.path[-1] for key in asset.keys}:
            assert asset.op.pool == "leaddone"


def test_exports_that_nobody_has_looked_for_in_a_day_are_not_fresh(project):
    policies = {
        spec.key.path[-1]: spec.freshness_policy for asset in project.defs().assets for spec in asset.specs
    }
    expected = {name for name, policy in policies.items() if policy is not None}
    assert expected == {"orders", "orders_quarantine", "courier_updates", "courier_updates_quarantine"}
    within = {"warn_window": timedelta(hours=26), "fail_window": timedelta(hours=30)}
    assert policies["orders"] == dg.FreshnessPolicy.time_window(**within)


def test_credentials_are_read_when_a_run_starts_and_never_at_load(project, monkeypatch):
    monkeypatch.delenv("LEADDONE_WEBHOOK_SECRET")
    defs = project.defs(webhook_secret_env="ATLAS_SECRET")
    with pytest.raises(dg.DagsterInvalidConfigError, match="ATLAS_SECRET"):
        dg.materialize(
            list(defs.assets),
            resources={**defs.resources, "io_manager": project.tables},
            instance=project.instance,
            partition_key=DAY,
        )


def test_every_field_is_described_in_the_schema():
    schema = LeadDoneShopComponent.get_model_cls().model_json_schema()
    undescribed = [name for name, prop in schema["properties"].items() if not prop.get("description")]
    assert undescribed == []
    assert all(prop.get("examples") for prop in schema["properties"].values())


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("shop: My-Shop", "shop"),
        ("orders_files: orders-{day}.csv", "orders_files"),
        ("courier_files: tracking-{Date}.csv", "courier_files"),
        ("start_date: 16/11/2026", "start_date"),
        ("batch_size: 0", "batch_size"),
        ("paid: maybe", "paid"),
        ("guarantee: exactly_once", "guarantee"),
        ("shp: atlas", "shp"),
    ],
)
def test_a_wrong_yaml_is_refused_with_the_field(folder, line, named):
    content = yaml.safe_load(docstring_yaml())
    content["attributes"] |= yaml.safe_load(line)
    path = place(folder, yaml.safe_dump(content))
    with pytest.raises(Exception, match="atlas") as refused, folder.load_component_and_build_defs(path):
        pass
    told = "".join(traceback.format_exception(refused.value))
    assert "defs.yaml" in told
    assert re.search(rf"(?m)attributes\.{named}\b|'{named}'|^\s*{named}\b", told)


def test_a_source_that_there_is_not_is_refused_at_load(project):
    with pytest.raises(IntakeError, match="my_source"):
        project.defs(source="my_source.yaml")


def test_a_source_of_ones_own_is_found_from_the_projects_root(project, monkeypatch, tmp_path):
    (project.root / "mine.yaml").write_text("extends: shopify\npaid: send\n")
    project.defs(source="mine.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="orders_files"):
        project.defs()


def test_files_are_found_by_glob_and_absolute_paths(project, make_order, tmp_path):
    project.orders(f"{DAY}-08h", make_order("A1"))
    project.orders(f"{DAY}-17h", make_order("A2"))
    project.orders("2026-11-17", make_order("B1"))
    assert project.run(DAY, orders_files=f"{tmp_path}/project/orders-{{date}}-??h.csv").success
    assert set(project.taken()) == {"A1", "A2"}


def test_dg_scaffolds_a_shop_that_loads(folder):
    path = folder.scaffold_component(
        component_cls=LeadDoneShopComponent,
        defs_path="rabat",
        scaffold_params={"orders_files": "in/{date}.csv", "paid": "skip"},
    )
    with folder.load_component_and_build_defs(path) as (component, _):
        assert component.shop == "rabat"
        assert component.orders_files == "in/{date}.csv"


def test_what_dg_scaffolds_is_refused_until_its_three_lines_are_filled_in(folder):
    before = date.today()  # noqa: DTZ011 - as on the desk
    path = folder.scaffold_component(component_cls=LeadDoneShopComponent, defs_path="rabat")
    text = (path / "defs.yaml").read_text()
    assert text.count("# <--") == 3
    assert any(f'start_date: "{day}"' in text for day in (before, date.today()))  # noqa: DTZ011 - midnight may pass
    assert "days_per_run: 1\n" in text
    for line, filled, named in (
        ("orders_files:", "orders_files: in/orders-{date}.csv", "paid"),
        ("courier_files:", "courier_files: in/tracking-{day}.csv", "courier_files"),
        ("courier_files:", "courier_files: in/tracking-{date}.csv", "paid"),
        ("paid:", "paid: send", None),
    ):
        text = re.sub(rf"(?m)^  {line}.*$", f"  {filled}", text)
        (path / "defs.yaml").write_text(text)
        if named is None:
            break
        with pytest.raises(Exception, match="rabat") as refused, folder.load_component_and_build_defs(path):
            pass
        assert "defs.yaml" in (told := "".join(traceback.format_exception(refused.value)))
        assert re.search(rf"(?m)^\s*{named}\b", told)
    with folder.load_component_and_build_defs(path) as (component, defs):
        assert component.paid == "send"
        assert len(list(defs.assets)) == 6


def test_dg_check_names_file_and_field_of_the_second_shop_too(folder):
    """`dg check yaml` looks at one instance of a type; what it does not see, `dg check defs` does."""
    text = docstring_yaml()
    place(folder, text)
    place(folder, text.replace("shop: atlas", "shop: medina\n  paid: maybe"), "medina")
    with pytest.raises(Exception, match="medina") as refused, folder.build_all_defs():
        pass
    told = "".join(traceback.format_exception(refused.value))
    assert "medina" in told
    assert "defs.yaml" in told
    assert re.search(r"(?m)^\s*paid\b", told)


@pytest.mark.parametrize(
    "name", ["days_per_run", "sensor", "schedule", "courier_files", "pool", "paid", "source"]
)
def test_a_field_that_may_be_empty_may_be_written_so(folder, name):
    content = yaml.safe_load(docstring_yaml())
    content["attributes"][name] = None
    path = place(folder, yaml.safe_dump(content))
    with folder.load_component_and_build_defs(path) as (component, _):
        assert getattr(component, name) is None


def test_the_sources_keys_are_the_components_too(project, make_order):
    project.orders("2026-11-16", make_order("A1", phone="0612345678"))

    assert project.run("2026-11-16", region="FR").success
    assert project.platform.orders("atlas-client")["A1"]["phone"] == "+33612345678"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fulfilled", "maybe"),
        ("amount", "all"),
        ("price_is", "dear"),
        ("currency", "dirham"),
        ("region", "Morocco"),
    ],
)
def test_a_key_with_an_impossible_value_is_refused(project, name, value):
    with pytest.raises(ValidationError, match=name):
        project.defs(**{name: value})


def test_loading_a_shop_warns_of_nothing(project):
    """In a fresh interpreter, where no filter of ours or of pytest's stands before Dagster's beta warnings."""
    code = """
        import warnings
        import dagster as dg
        from leaddone_pipeline import LeadDoneShopComponent
        warnings.simplefilter("error")
        files = {"orders_files": "o-{date}.csv", "courier_files": "t-{date}.csv"}
        LeadDoneShopComponent(shop="atlas", start_date="2026-11-16", **files).build_defs(None)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=project.root)
