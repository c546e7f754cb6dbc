"""Our upload against `curl` with the same parts, to the same sink, over plain HTTP and over TLS.

curl is one process with one connection that PUTs every part from a file of its own, cut beforehand, with the same
Content-Range. Ours runs in a fresh process each time, "transport" (the client alone) and "transfer" (the whole
service: hash, database, heartbeat, spans). All are timed by the sink, from the first byte to the last answer, so that
neither a start nor a handshake counts; `own_clock_s` is what our own clock saw around all of the sending.
Files are random bytes, and lie in the page cache.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks._media import environment, fresh, template
from benchmarks.harness import ROOT, Figure, progress
from publishing.services.checksums import sums_of
from subiteya.tiktok.chunks import CHUNK_MAX, ChunkPlan, chunk_plan

MB, MIB = 1_000_000, 1 << 20
#: SUBITEYA_UPLOAD_PART_TARGET's default: the part that an installation sends.
DEFAULT_PART = 32 * MB
GOAL, SLOPE_GOAL = 0.6, 2.0
SENDER = [sys.executable, "-m", "benchmarks._sender"]


@dataclass(frozen=True)
class Place:
    """Where the files lie, and the database and certificate that every run uses."""

    folder: Path
    database: Path
    ca: Path
    key: Path


@dataclass(frozen=True)
class Case:
    """One file, cut one way, over one kind of line."""

    file: Path
    digest: str
    xxh3: str
    target: int
    secure: bool

    @property
    def plan(self) -> ChunkPlan:
        return chunk_plan(self.file.stat().st_size, single_max=min(self.target, CHUNK_MAX), target=self.target)

    @property
    def name(self) -> str:
        line = "TLS" if self.secure else "HTTP"
        return f"{line}, {self.plan.video_size // MIB:,} MiB in parts of {self.target // MB} MB"


def run(*, quick: bool) -> list[Figure]:
    times = 1 if quick else 3
    sizes = [64 * MIB] if quick else [64 * MIB, 512 * MIB, 2048 * MIB]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="subiteya-bench-") as name:
        place = _place(Path(name))
        peaks: dict[int, dict[str, list[int]]] = {}
        for size in sizes:
            file = _random(place.folder / "video", size)
            sums = sums_of(file)
            targets = [DEFAULT_PART] if size != sizes[len(sizes) // 2] else [10 * MB, DEFAULT_PART, 64 * MB]
            for target in targets:
                for secure in (False, True) if target == DEFAULT_PART else (False,):
                    case = Case(file, sums.sha256, sums.xxh3, target, secure)
                    seen = _measured(place, case, times)
                    figures += _ratios(case, seen)
                    if target == DEFAULT_PART and not secure:
                        peaks[size] = {level: seen[f"{level}_kib"] for level in ("transport", "transfer")}
        if not quick:
            figures += _slopes(peaks)
    return figures


def _place(folder: Path) -> Place:
    ca, key = _certificate(folder)
    return Place(folder, template(folder), ca, key)


def _measured(place: Place, case: Case, times: int) -> dict[str, list[Any]]:
    """Ours and curl's in turns; the first turn warms up."""
    progress(case.name)
    found: dict[str, list[Any]] = {}
    with _sink(place, case.secure) as (sink, port):
        url = f"{'https' if case.secure else 'http'}://127.0.0.1:{port}/upload?id=1"
        curl = _curl(place, case, url)
        for turn in range(times + 1):
            subprocess.run(curl, check=True, timeout=120)
            seen = {"curl": _sunk(sink, case)["seconds"]}
            for level in ("transport", "transfer"):
                told = _sent(place, case, url, level)
                seen |= {
                    level: _sunk(sink, case)["seconds"], f"{level}_own": told["seconds"],
                    f"{level}_cpu": told["cpu"], f"{level}_kib": told["peak_kib"],
                }  # fmt: skip
            if turn:
                for name, value in seen.items():
                    found.setdefault(name, []).append(value)
    return found


def _sent(place: Place, case: Case, url: str, level: str) -> dict[str, Any]:
    asked = {
        "level": level, "url": url, "file": str(case.file), "sha256": case.digest, "xxh3": case.xxh3,
        "target": case.target, "ca": str(place.ca) if case.secure else "",
    }  # fmt: skip
    env = environment(fresh(place.database, "run"), TIKTOK_UPLOAD_HOSTS="127.0.0.1")
    done = subprocess.run(
        SENDER, input=json.dumps(asked), env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def _sink(place: Place, secure: bool) -> Iterator[tuple[subprocess.Popen[str], int]]:
    argv = [sys.executable, "-m", "benchmarks._sink", *([str(place.ca), str(place.key)] if secure else [])]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as sink:
        try:
            assert sink.stdout
            yield sink, int(sink.stdout.readline())
        finally:
            sink.kill()


def _sunk(sink: subprocess.Popen[str], case: Case) -> dict[str, Any]:
    """What the sink says of the connection that has just ended: all of the file, and nothing else."""
    assert sink.stdout
    told: dict[str, Any] = json.loads(sink.stdout.readline())
    assert (told["bytes"], told["requests"]) == (case.plan.video_size, case.plan.total_chunk_count), told
    return told


def _curl(place: Place, case: Case, url: str) -> list[str]:
    """curl's command line: a file for each part, and one section of its configuration."""
    folder = place.folder / "parts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    sections = []
    with case.file.open("rb") as source:
        for number, (first, last) in enumerate(case.plan.ranges()):
            part = folder / str(number)
            part.write_bytes(source.read(last - first + 1))
            lines = [
                f'url = "{url}"', f'upload-file = "{part}"', f'header = "Content-Range: bytes {first}-{last}/'
                f'{case.plan.video_size}"', 'header = "Content-Type: video/mp4"', 'header = "Expect:"',
                "silent", "fail", "http1.1", *([f'cacert = "{place.ca}"'] if case.secure else []),
            ]  # fmt: skip
            sections.append("\n".join(lines))
    config = place.folder / "curl.conf"
    config.write_text("\nnext\n".join(sections), encoding="utf-8")
    return ["curl", "-q", "-K", str(config)]


def _ratios(case: Case, seen: dict[str, list[Any]]) -> list[Figure]:
    middle = {name: statistics.median(values) for name, values in seen.items()}
    megabytes = case.plan.video_size / MB
    figures = []
    for level in ("transport", "transfer"):
        detail = {
            "ours_mb_per_s": round(megabytes / middle[level]), "curl_mb_per_s": round(megabytes / middle["curl"]),
            "ours_cpu_s": round(middle[f"{level}_cpu"], 3), "ours_s": _rounded(seen[level]),
            "own_clock_s": _rounded(seen[f"{level}_own"]), "curl_s": _rounded(seen["curl"]),
            "parts": case.plan.total_chunk_count,
        }  # fmt: skip
        goal = GOAL if case.target >= DEFAULT_PART else None
        ratio = round(middle["curl"] / middle[level], 3)
        name = f"{level} against curl: {case.name}"
        figures.append(Figure(name=name, measured=ratio, goal=goal, better="more", detail=detail))
    return figures


def _slopes(peaks: dict[int, dict[str, list[int]]]) -> list[Figure]:
    """How much more memory the largest file takes than the smallest."""
    small, large = min(peaks), max(peaks)
    figures = []
    for level in ("transport", "transfer"):
        mib = {size: statistics.median(seen[level]) / 1024 for size, seen in peaks.items()}
        figures.append(
            Figure(
                name=f"{level}: peak memory, {large // MIB:,} MiB more than {small // MIB} MiB",
                measured=round(mib[large] - mib[small], 2),
                unit="MiB",
                goal=SLOPE_GOAL,
                detail={f"peak_mib_of_{size // MIB}_mib": round(value, 1) for size, value in mib.items()},
            )  # fmt: skip
        )
    return figures


def _random(path: Path, size: int) -> Path:
    """Random bytes: a file with holes would be read from nowhere."""
    with path.open("wb") as file:
        for _each in range(size // MIB):
            file.write(os.urandom(MIB))
    return path


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca, secret = folder / "ca.pem", folder / "key.pem"
    ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca, secret
