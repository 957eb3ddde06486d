"""Where ROS packages and their executables lie, with ROS 2 installed and without."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from reflexarc.robot.launching.errors import LaunchError, Where, listed, nearest

OURS = "reflexarc"
_INDEX = Path("share/ament_index/resource_index/packages")


def checkout() -> Path | None:
    """The source tree that we run from; None when we are installed."""
    root = Path(str(files("reflexarc.robot"))).parent
    return root if (root / "package.xml").is_file() and (root / "launch").is_dir() else None


def prefixes(environment: Mapping[str, str]) -> list[Path]:
    """The prefixes of AMENT_PREFIX_PATH, then that of the wheels (`sys.prefix`)."""
    named = [Path(part) for part in environment.get("AMENT_PREFIX_PATH", "").split(":") if part]
    ours = Path(sys.prefix)
    if ours not in named and (ours / _INDEX).is_dir():
        named.append(ours)
    return named


def share(package: str, environment: Mapping[str, str], where: Where | None = None) -> Path:
    """A package's share folder: what `$(find-pkg-share PACKAGE)` stands for.

    Raises:
        LaunchError: no such package.
    """
    for prefix in prefixes(environment):
        if (prefix / _INDEX / package).is_file():
            return prefix / "share" / package
    if package == OURS:
        tree = checkout()
        return tree or Path(sysconfig.get_path("data")) / "share" / OURS
    raise _no_package(package, environment, where)


def prefix_of(package: str, environment: Mapping[str, str], where: Where | None = None) -> Path:
    """The prefix that a package is installed below: `$(find-pkg-prefix PACKAGE)`.

    Raises:
        LaunchError: no such package.
    """
    for prefix in prefixes(environment):
        if (prefix / _INDEX / package).is_file():
            return prefix
    if package == OURS:
        return Path(sys.prefix)
    raise _no_package(package, environment, where)


def executable(
    package: str, name: str, environment: Mapping[str, str], where: Where | None = None
) -> Path:
    """An executable of a package: PREFIX/lib/PACKAGE/NAME, or a console script of pip's.

    Raises:
        LaunchError: no such package, or no such executable in it (with the nearest name).
    """
    known: dict[str, Path] = {}
    for prefix in prefixes(environment):
        known = {**_programs(prefix / "lib" / package), **known}
    scripts = _console_scripts(package)
    if name in known:
        return known[name]
    if name in scripts and _is_program(scripts[name]):
        return scripts[name]
    if name in scripts:
        raise LaunchError(
            expected=f"the program {name} of {package} at {scripts[name]}",
            found="none there",
            remedy=f"install {package} again",
            where=where,
        )
    if not known and not scripts:
        share(package, environment, where)
    names = {*known, *scripts}
    raise LaunchError(
        expected=f"an executable of the package {package}: {listed(names)}",
        found=name,
        remedy=nearest(name, names, f"install {package} again, it may be too old"),
        where=where,
    )


def _programs(folder: Path) -> dict[str, Path]:
    try:
        return {path.name: path for path in folder.iterdir() if _is_program(path)}
    except OSError:
        return {}


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _console_scripts(package: str) -> dict[str, Path]:
    """Those of the pip-installed distribution of the same name."""
    try:
        distribution = metadata.distribution(package)
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    folder = Path(sysconfig.get_path("scripts"))
    entries = distribution.entry_points
    return {
        entry.name: folder / entry.name for entry in entries if entry.group == "console_scripts"
    }


def _no_package(package: str, environment: Mapping[str, str], where: Where | None) -> LaunchError:
    folders = [prefix / _INDEX for prefix in prefixes(environment)]
    names = {path.name for folder in folders if folder.is_dir() for path in folder.iterdir()}
    return LaunchError(
        expected="an installed ROS package, in AMENT_PREFIX_PATH or by pip",
        found=repr(package),
        remedy=nearest(package, {*names, OURS}, "install it, or source its workspace's setup.sh"),
        where=where,
    )
