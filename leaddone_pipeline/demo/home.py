"""Where the demo lives: one folder with its data, ledger, tables, sandbox and Dagster, apart from the real ones."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from leaddone_pipeline import environment
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import RunningSandbox, serve
from leaddone_pipeline.sandbox.sample import DAYS, SHOPS, START, write_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CLIENT_ID", "DemoHome"]

CLIENT_ID = "demo-shops"
_SECRET = "whsec_demo"  # noqa: S105 - opens nothing but the demo's sandbox

_DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  python_log_level: INFO
  dagster_handler_config:
    handlers:
      demo:
        class: logging.FileHandler
        level: INFO
        filename: {log}
        encoding: utf-8
"""


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The demo's folder, `.leaddone/demo` of a project."""

    folder: Path
    root: Path

    @classmethod
    def around(cls, start: Path) -> DemoHome:
        """The demo of the project around `start`; without a project, of the folder itself."""
        root = environment.find_root(start) or start.resolve()
        return cls(root / ".leaddone" / "demo", root)

    @property
    def tables(self) -> Path:
        return self.folder / "tables.duckdb"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def log(self) -> Path:
        return self.folder / "dagster.log"

    @property
    def data(self) -> Path:
        """The project's own data where it is the sample, else a copy in the demo's folder."""
        own = self.root / "data"
        return own if _holds_sample(own) else self.folder / "data"

    @staticmethod
    def days(count: int) -> list[str]:
        """The first so many days of the sample, ISO."""
        return [(START + timedelta(days=index)).isoformat() for index in range(count)]

    def prepare(self) -> None:
        """Make the folder, Dagster's home and, where the project has no sample, the sample."""
        dagster = self.folder / "dagster"
        dagster.mkdir(parents=True, exist_ok=True)
        (dagster / "dagster.yaml").write_text(_DAGSTER_YAML.format(log=self.log), encoding="utf-8")
        if not _holds_sample(self.data):
            write_sample(self.data)

    def enter(self, running: RunningSandbox) -> None:
        """Make this process, and those that it starts, work on the demo and on nothing else."""
        os.environ.update(
            {
                environment.CLIENT_ID: CLIENT_ID,
                environment.WEBHOOK_SECRET: _SECRET,
                environment.BASE_URL: running.base_url,
                environment.LEDGER_URL: f"sqlite:///{self.ledger}",
                "DAGSTER_HOME": str(self.folder / "dagster"),
            }
        )

    @contextmanager
    def sandbox(self) -> Iterator[RunningSandbox]:
        """Serve the demo's LeadDone, which remembers what it took, at the address that it had before.

        The address is part of the account: at another one, everything would be sent again.

        Raises:
            SettingsError: something else listens there.
        """
        remembered = self.folder / "port"
        port = int(remembered.read_text(encoding="utf-8")) if remembered.exists() else 0
        platform = Platform(credentials={CLIENT_ID: _SECRET})
        with ExitStack() as stack:
            try:
                state = self.folder / "sandbox.json"
                running = stack.enter_context(serve(platform, port=port, state_file=state))
            except SettingsError as error:
                if error.setting != "port":
                    raise
                raise SettingsError(
                    f"port {port}, which is part of the demo's account, is taken",
                    remedy="End what listens there (another `leaddone demo --ui`?), or delete "
                    f"{self.folder} to begin anew",
                    setting="demo",
                ) from None
            remembered.write_text(str(running.port), encoding="utf-8")
            yield running


def _holds_sample(folder: Path) -> bool:
    return all(
        (folder / pattern.format(date=day)).is_file()
        for shop in SHOPS
        for pattern in (shop.exports, shop.courier_files)
        for day in DemoHome.days(DAYS)
    )
