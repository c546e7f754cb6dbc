"""The files in deploy/ name commands, settings and paths that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from publishing.states import JobKind
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


def test_it_runs_no_process_as_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    common = (DEPLOY / "systemd/subiteya-.service.d/common.conf").read_text(encoding="utf-8")

    assert dockerfile.index("USER subiteya") < dockerfile.index('CMD ["gunicorn"')
    assert "User=subiteya" in common
    assert "NoNewPrivileges=yes" in common
