"""`manage.py monitoring` says what it lacks."""

from __future__ import annotations

import json
import socket

import pytest
from django.core.management import CommandError, call_command

from monitoring.local import Local


@pytest.fixture
def product(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    (tmp_path / "up.json").write_text(json.dumps({"web_url": "http://127.0.0.1:8000"}))


@pytest.fixture
def installed(monkeypatch, tmp_path):
    for name in ("prometheus", "prometheus-alertmanager"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_it_says_how_to_get_what_is_missing(product, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CommandError, match="apt-get install prometheus prometheus-alertmanager"):
        call_command("monitoring")


def test_it_wants_the_product_to_run(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with pytest.raises(CommandError, match="make demo"):
        call_command("monitoring")


def test_it_refuses_scrapes_that_are_too_rare(product):
    with pytest.raises(CommandError, match="--seconds must be from 1 to 30"):
        call_command("monitoring", "--seconds", "60")


def test_it_names_the_port_that_is_taken(product, installed):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} on 127.0.0.1 is taken"):
            call_command("monitoring", "--prometheus-port", str(port))


def test_it_keeps_the_keys_to_itself(tmp_path, installed):
    local = Local(
        folder=tmp_path / "monitoring", web="http://127.0.0.1:8000", prometheus_port=1, alertmanager_port=2, seconds=15
    )
    for _start in range(2):
        local.prepare(metrics_key="sy_metrics", alerts_key="sy_alerts")
    tokens = sorted((tmp_path / "monitoring").glob("*.token"))
    assert [path.read_text() for path in tokens] == ["sy_alerts", "sy_metrics"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tokens)
    assert "sy_" not in (tmp_path / "monitoring/prometheus.yml").read_text()
    assert all("127.0.0.1" in " ".join(program.argv) for program in local.programs())
