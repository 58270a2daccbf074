import os

import pytest
from hypothesis import settings

from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.testing import LeadDoneSandbox

# No test depends on speed.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@pytest.fixture
def ledger(tmp_path):
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture
def sandbox():
    return LeadDoneSandbox()


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in list(os.environ):
        if name.startswith("LEADDONE_"):
            monkeypatch.delenv(name)
    # The default is LeadDone itself; a test that forgets its sandbox must reach nobody.
    monkeypatch.setenv("LEADDONE_BASE_URL", "http://127.0.0.1:1/no-sandbox")
