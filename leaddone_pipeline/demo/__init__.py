"""The sample shops through the real assets to a sandbox, and the proof that all arrived once.

    home (folder, port, environment) -> definitions (the shops) -> days (a run a shop) -> proof (tables = sandbox)

`leaddone demo` runs it and shows its report. `dagster dev -m leaddone_pipeline.demo -a definitions` shows the same
assets, in the demo's environment.
"""

from leaddone_pipeline.demo.days import DayCounts
from leaddone_pipeline.demo.definitions import definitions
from leaddone_pipeline.demo.home import DemoHome
from leaddone_pipeline.demo.proof import Claim, Link, Tables
from leaddone_pipeline.demo.run import DemoReport, run

__all__ = ["Claim", "DayCounts", "DemoHome", "DemoReport", "Link", "Tables", "definitions", "run"]
