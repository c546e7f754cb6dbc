"""The files in deploy/ name commands, settings and paths that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from publishing.services.jobs import LEASE
from publishing.states import JobKind
from subiteya.stack import programs
from tests.processes import ROOT
from tests.test_docs import DJANGO, documented

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in [*DEPLOY.rglob("*"), ROOT / ".env.example"] if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_sets_only_settings_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    named = set(re.findall(r"\b(?:SUBITEYA|TIKTOK|S3)_[A-Z_]+[A-Z]\b", text))

    assert named <= {*documented(), *DJANGO}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_calls_only_commands_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(", ", " ")

    commands = set(re.findall(r"manage\.py (\w+)", text))
    kinds = set(re.findall(r"manage\.py worker (\w+)", text))

    assert commands <= set(get_commands())
    assert kinds <= set(JobKind.values)


def test_it_composes_every_process_of_the_product() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))

    services = compose["services"]
    assert {"web", "edit", "upload", "scheduler", "migrate", "postgres", "redis", "minio"} <= services.keys()
    for name in ("web", "edit", "upload", "scheduler"):
        assert services[name]["env_file"] == ["../.env"]
        assert set(services[name]["environment"]) <= set(documented())
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for service in services.values():
        assert "healthcheck" in service or service.get("restart") == "no" or service["image"] == "subiteya"


def test_it_runs_one_worker_for_what_the_host_keeps(settings: Any) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))["services"]
    assert "--host-queue" in compose["edit-host"]["command"]
    hosts = {compose[name]["environment"]["SUBITEYA_HOST_NAME"] for name in ("web", "edit", "edit-host", "upload")}
    assert len(hosts) == 1, "they share the working folder"
    settings.EDIT_WORKERS = 3
    named = [program.argv[2:] for program in programs(site_url="http://x", sandbox=False)]
    assert named.count(["worker", "edit", "--host-queue"]) == 1
    settings.EDIT_WORKERS = 0
    assert "edit-host" not in [program.name for program in programs(site_url="http://x", sandbox=False)]


def test_it_wants_the_host_s_queue_only_for_edits() -> None:
    with pytest.raises(CommandError, match="host-queue"):
        call_command("worker", "upload", "--host-queue")


def test_it_watches_only_when_asked_to() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
    watching = {name: it for name, it in compose["services"].items() if "profiles" in it}

    assert watching.keys() == {"prometheus", "alertmanager", "grafana", "metabase"}
    for service in watching.values():
        assert service["profiles"] == ["monitoring"]
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), "pinned"
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["healthcheck"]["test"]
        for volume in service["volumes"]:
            assert not volume.startswith(".") or (DEPLOY / volume.split(":")[0]).exists()
        for secret in service["secrets"]:
            assert (secret if isinstance(secret, str) else secret["source"]) in compose["secrets"]
    assert "--storage.tsdb.retention.time=45d" in watching["prometheus"]["command"]


def test_it_hands_over_the_keys_where_they_are_read() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))["services"]
    for name, scope in (("prometheus", "metrics"), ("alertmanager", "alerts")):
        text = (DEPLOY / name / f"{name}.yml").read_text(encoding="utf-8")
        assert f"credentials_file: {scope}.token" in text
        assert services[name]["secrets"] == [{"source": f"{scope}_key", "target": f"/etc/{name}/{scope}.token"}]
    grafana = (DEPLOY / "grafana/provisioning/datasources/subiteya.yml").read_text(encoding="utf-8")
    assert "bearerToken: $__file{/run/secrets/monitor_key}" in grafana
    assert "monitor_key" in services["grafana"]["secrets"]


@pytest.mark.parametrize("page", ["deploy/compose.yml", "deploy/README.md", "docs/scaling.md"])
def test_it_has_postgresql_forget_a_lost_machine_before_its_lease_ends(page: str) -> None:
    """Else the rows that it locked stay locked for whoever takes its work over."""
    text = (ROOT / page).read_text(encoding="utf-8")

    said = {name: int(value) for name, value in re.findall(r"tcp_keepalives_(\w+) ?= ?(\d+)", text)}

    assert said["idle"] + said["interval"] * said["count"] < LEASE.total_seconds() / settings.TIME_SCALE


def test_it_runs_no_process_as_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    common = (DEPLOY / "systemd/subiteya-.service.d/common.conf").read_text(encoding="utf-8")

    assert dockerfile.index("USER subiteya") < dockerfile.index('CMD ["gunicorn"')
    assert "User=subiteya" in common
    assert "NoNewPrivileges=yes" in common
