"""A deployment made of the files in deploy/ as they stand, in a folder instead of /etc, /opt, /var and /run.

Each program is the `ExecStart` of its unit; each variable is one of leaddone.env.example.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.scaleout.programs import LOOPBACK, Program, free_port, started, wait_for

if TYPE_CHECKING:
    from contextlib import AbstractContextManager, ExitStack

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SHOPS = Path(__file__).with_name("shops.py")


def sample_variables() -> set[str]:
    text = (DEPLOY / "leaddone.env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))


@dataclass
class Site:
    """Where the deployment lives, and what its programs are told."""

    folder: Path
    told: dict[str, str]
    stack: ExitStack

    def __post_init__(self) -> None:
        for name in ("etc", "project", "var", "run"):
            (self.folder / name).mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", self.folder / "var")
        workspace = (DEPLOY / "workspace.yaml").read_text(encoding="utf-8")
        (self.folder / "etc" / "workspace.yaml").write_text(self._placed(workspace))
        shutil.copy(SHOPS, self.folder / "project")
        self.port = free_port()
        self.told |= {
            "DAGSTER_HOME": str(self.folder / "var"),
            "DAGSTER_PROJECT_MODULE": SHOPS.stem,
            "DAGSTER_WEBSERVER_HOST": LOOPBACK,
            "DAGSTER_WEBSERVER_PORT": str(self.port),
        }
        self.env = {**os.environ, **self.told}

    def _placed(self, text: str) -> str:
        places = {
            "/opt/leaddone/venv/bin": Path(sys.executable).parent,
            "/opt/leaddone/project": self.folder / "project",
            "/etc/leaddone": self.folder / "etc",
            "/run/leaddone": self.folder / "run",
        }
        for there, here in places.items():
            text = text.replace(there, str(here))
        return text

    def start(self, unit: str, instance: str = "") -> Program:
        """Start what a unit starts, and wait as systemd would."""
        text = (DEPLOY / "systemd" / unit).read_text(encoding="utf-8")
        text = self._placed(text).replace("%i", instance).replace("%H", "localhost")
        text = re.sub(r"\$\{(\w+)\}", lambda name: self.told[name[1]], text)
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        program = self.stack.enter_context(self._started(shlex.split(command), f"{unit}{instance}"))
        for command in re.findall(r"^ExecStartPost=(.*)$", text, re.MULTILINE):
            self._run(shlex.split(command), f"{unit} afterwards")
        return program

    def _run(self, command: list[str], name: str) -> None:
        with self._started(command, name) as program:
            wait_for(lambda: not program.runs, what=" ".join(command))

    def _started(self, command: list[str], name: str) -> AbstractContextManager[Program]:
        log = self.folder / f"{name}.log"
        return started(command, log=log, env=self.env, cwd=self.folder / "project")


@dataclass(frozen=True)
class DagsterWeb:
    """Dagster's web server, asked as its UI asks it."""

    port: int

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        url = f"http://{LOOPBACK}:{self.port}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60)
        told = answer.json()
        assert "errors" not in told, told["errors"]
        return told["data"]

    def loads(self, asset: list[str]) -> bool:
        """Whether the server answers and knows the asset."""
        query = "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { __typename } }"
        try:
            return self.ask(query, key={"path": asset})["assetNodeOrError"]["__typename"] == "AssetNode"
        except httpx.TransportError:
            return False

    def backfill(self, assets: list[list[str]], days: list[str]) -> str:
        mutation = """mutation($told: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $told) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        told = {"assetSelection": [{"path": path} for path in assets], "partitionNames": days}
        answer = self.ask(mutation, told=told)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return answer["backfillId"]

    def backfill_status(self, backfill: str) -> str:
        query = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status } } }"""
        return self.ask(query, id=backfill)["partitionBackfillOrError"]["status"]

    def runs(self) -> list[dict[str, Any]]:
        """All runs, oldest first: id, status, tags, assets."""
        query = """{ runsOrError { ... on Runs { results { runId status tags { key value }
            assetSelection { path } } } } }"""
        found = self.ask(query)["runsOrError"]["results"]
        for run in found:
            run["tags"] = {tag["key"]: tag["value"] for tag in run["tags"]}
            run["assets"] = ["/".join(key["path"]) for key in run.pop("assetSelection")]
        return found[::-1]
