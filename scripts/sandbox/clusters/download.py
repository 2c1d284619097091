"""Downloads the control planes' programs as their projects publish them, verified by the published SHA-256.

Kubernetes publishes a `.sha256` file beside each program, etcd a SHA256SUMS file in its GitHub release. kwok publishes
no checksum file; GitHub computes the SHA-256 of each file of a release and gives it in its API.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from sandbox.layout import ETCD_VERSION, KUBERNETES_VERSION, KWOK_VERSION, architecture

KUBERNETES = "https://dl.k8s.io"
GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"

CHECKSUM_SECONDS = 6.0
"""How long all servers together have to answer, name resolution included: then the programs are built instead."""
STALL_SECONDS = 5.0
"""A download that receives nothing for so long is given up."""
_CONNECT_SECONDS = 3.0
# A download that is slower than this after the first ten seconds takes longer than a build.
_SLOW_AFTER_SECONDS, _SLOW_BYTES_PER_SECOND = 10.0, 300_000
_CHUNK = 256 * 1024


class DownloadError(Exception):
    """The server does not send the file, or what it sends is not the published file."""


@dataclass(frozen=True)
class Source:
    """Where a program and its checksum are published. `member` is its path in the archive, if `url` is one."""

    url: str
    checksum_url: str
    member: str = ""


def sources() -> dict[str, Source]:
    """The source of each program, for this machine's architecture."""
    arch = architecture()
    found = {}
    for program in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        url = f"{KUBERNETES}/release/v{KUBERNETES_VERSION}/bin/linux/{arch}/{program}"
        found[program] = Source(url, f"{url}.sha256")
    release = f"{GITHUB}/etcd-io/etcd/releases/download/v{ETCD_VERSION}"
    name = f"etcd-v{ETCD_VERSION}-linux-{arch}"
    found["etcd"] = Source(f"{release}/{name}.tar.gz", f"{release}/SHA256SUMS", f"{name}/etcd")
    repository = "kubernetes-sigs/kwok/releases"
    for program in ("kwok", "kwokctl"):
        url = f"{GITHUB}/{repository}/download/v{KWOK_VERSION}/{program}-linux-{arch}"
        found[program] = Source(url, f"{GITHUB_API}/repos/{repository}/tags/v{KWOK_VERSION}")
    return found


def find_checksums(wanted: Mapping[str, Source]) -> dict[str, str]:
    """The published SHA-256 of each program whose server answers within CHECKSUM_SECONDS."""
    found: dict[str, str] = {}

    def ask(program: str, source: Source) -> None:
        with suppress(httpx.HTTPError, ValueError, KeyError):
            response = httpx.get(source.checksum_url, follow_redirects=True, timeout=_timeout())
            found[program] = _checksum(response.raise_for_status().text, urlsplit(source.url).path.rpartition("/")[2])

    # Daemons: a name that does not resolve can take longer than any timeout of a connection.
    threads = [threading.Thread(target=ask, args=item, daemon=True) for item in wanted.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + CHECKSUM_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


def download(source: Source, sha256: str, target: Path) -> None:
    """Writes the program to `target`, executable. DownloadError if the server stalls, is slow or sends other data."""
    received = target.with_name(f"{target.name}.part")
    try:
        actual = _receive(source.url, received)
        if actual != sha256:
            raise DownloadError(f"{source.url}: its SHA-256 is {actual}, published is {sha256}")
        if source.member:
            with tarfile.open(received) as archive, target.open("wb") as file:
                member = archive.extractfile(source.member)
                if member is None:
                    raise DownloadError(f"{source.url}: {source.member} is not a file")
                while chunk := member.read(_CHUNK):
                    file.write(chunk)
        else:
            received.rename(target)
        target.chmod(0o755)
    except (httpx.HTTPError, OSError, KeyError, tarfile.TarError) as err:
        raise DownloadError(f"{source.url}: {err or type(err).__name__}") from err
    finally:
        received.unlink(missing_ok=True)


def _receive(url: str, path: Path) -> str:
    """Writes what the server sends to the file; its SHA-256."""
    digest, size, began = hashlib.sha256(), 0, time.monotonic()
    headers = {"Accept-Encoding": "identity"}
    with httpx.stream("GET", url, follow_redirects=True, timeout=_timeout(), headers=headers) as response:
        response.raise_for_status()
        with path.open("wb") as file:
            for chunk in response.iter_raw(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
                seconds = time.monotonic() - began
                if seconds > _SLOW_AFTER_SECONDS and size / seconds < _SLOW_BYTES_PER_SECOND:
                    raise DownloadError(f"{url}: only {size / seconds / 1000:.0f} kB/s")
    return digest.hexdigest()


def _checksum(text: str, file: str) -> str:
    """The file's SHA-256 in an answer of GitHub's API, a SHA256SUMS file or a file with nothing else.

    ValueError or KeyError when there is none.
    """
    if text.lstrip().startswith("{"):
        digests = {asset["name"]: asset.get("digest") or "" for asset in json.loads(text)["assets"]}
        found = digests[file].removeprefix("sha256:")
    elif len(text.split()) == 1:
        found = text.strip()
    else:
        found = {name.lstrip("*"): value for value, name in map(str.split, text.strip().splitlines())}[file]
    if len(found) != 64:
        raise ValueError(f"no SHA-256 of {file}")
    return found.lower()


def _timeout() -> httpx.Timeout:
    return httpx.Timeout(STALL_SECONDS, connect=_CONNECT_SECONDS)
