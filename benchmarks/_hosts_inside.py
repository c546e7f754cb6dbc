"""`python -m benchmarks._hosts_inside FOLDER [--quick]`: the scenario, inside the namespaces that hosts.py makes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks._hosts_net import Failed
from benchmarks._hosts_stack import DATABASE_PORT, EDIT, OWN_NAME, UPLOAD, WEB, Stack
from benchmarks.harness import ROOT, CannotMeasure, Figure, progress


def main() -> None:
    """Write `answer.json` into FOLDER: the figures, or an error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    stack = Stack(asked.folder)
    try:
        said: dict[str, Any] = {"figures": _measure(stack, quick=asked.quick)}
    except (Failed, CannotMeasure, subprocess.SubprocessError) as error:
        said = {"error": " ".join(str(error).split())}
    finally:
        stack.power_off()
    (asked.folder / "answer.json").write_text(json.dumps(said), encoding="utf-8")


def _measure(stack: Stack, *, quick: bool) -> list[dict[str, Any]]:
    progress("PostgreSQL, Redis, S3 and TikTok's sandbox, each on a host")
    stack.start_back()
    _old_code(stack)
    _set_up_django(stack)
    from benchmarks import _hosts_loss, _hosts_scale, _hosts_web
    from benchmarks._hosts_load import Connections, Load

    stack.call("web1", "collectstatic", "--no-input", "--verbosity", "0", code=ROOT)
    progress("two web, two edit and four upload hosts")
    stack.start([*WEB, *EDIT, *UPLOAD])
    stack.call("web1", "migrate", "--no-input", code=ROOT)  # the hosts run the old code, and go on
    connections = Connections(stack.database_url(DATABASE_PORT))
    load = Load(stack, accounts=6 if quick else 16)
    steps: list[Callable[..., list[Any]]] = [
        _hosts_web.rolling, _hosts_scale.uploads, _hosts_scale.edits, _hosts_loss.upload_host, _hosts_loss.edit_host,
        _hosts_web.sessions, _hosts_web.scheduler, _hosts_loss.redis,
    ]  # fmt: skip
    figures = [_told(figure) for step in steps for figure in step(stack, load, quick=quick)]
    progress("the rest goes out")
    load.send_later()
    connections.stop()
    figures += [*_hosts_scale.connections(stack, connections), *_hosts_scale.outcome(load)]
    return [asdict(figure) for figure in figures]


def _told(figure: Figure) -> Figure:
    progress(f"    {figure.name}: {figure.measured:.3g} {figure.unit}")
    return figure


def _old_code(stack: Stack) -> None:
    """On the hosts: the newest release's code where it is another one than ours, and its tables in the database."""
    from tools.rolling import export, released_commit

    try:
        commit = released_commit()
    except LookupError as why:
        progress(f"rolling from the same code: {why}")
        commit = ""
    old = ROOT
    if commit:
        old = stack.folder / "old"
        old.mkdir()
        export(commit, old)
    stack["web1"].power_on()
    for name in (*WEB, *EDIT, *UPLOAD):
        stack.code[name] = old
    stack.call("web1", "migrate", "--no-input", code=old)


def _set_up_django(stack: Stack) -> None:
    """Our own process is one more client of the same database, bucket and Redis."""
    os.environ.update(stack.environment(OWN_NAME, ROOT), SUBITEYA_LOG_LEVEL="ERROR")
    import boto3
    import django

    django.setup()
    from django.conf import settings

    options = settings.STORAGES["default"]["OPTIONS"]
    keys = {"aws_access_key_id": options["access_key"], "aws_secret_access_key": options["secret_key"]}
    client = boto3.client("s3", endpoint_url=options["endpoint_url"], region_name=options["region_name"], **keys)
    client.create_bucket(Bucket=settings.S3_BUCKET)


if __name__ == "__main__":
    main()
