"""Only `orchestration` imports dagster: what signs and sends must start fast, and work without it."""

import subprocess
import sys
import textwrap

import pytest

import leaddone_pipeline


def test_nothing_but_orchestration_loads_dagster():
    code = """
        import sys
        import leaddone_pipeline
        import leaddone_pipeline.webhook
        import leaddone_pipeline.testing
        from leaddone_pipeline import DeliveryReport, __version__
        assert "dagster" not in sys.modules
        from leaddone_pipeline import LeadDoneResource
        assert "dagster" in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_every_public_name_is_there_and_sorted():
    assert leaddone_pipeline.__all__ == sorted(leaddone_pipeline.__all__) == dir(leaddone_pipeline)
    assert all(getattr(leaddone_pipeline, name) for name in leaddone_pipeline.__all__)


def test_any_other_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="LeadDoneShop"):
        leaddone_pipeline.LeadDoneShop  # noqa: B018 - the access is the test
