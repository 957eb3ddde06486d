"""Launch files by their names: `robot` is launch/robot.launch.yaml."""

from __future__ import annotations

import os
from pathlib import Path

from reflexarc.robot.launching.errors import LaunchError, listed, nearest
from reflexarc.robot.launching.packages import OURS, share

ENDING = ".launch.yaml"


def launch_files() -> dict[str, Path]:
    """The packaged launch files by their names."""
    folder = share(OURS, os.environ) / "launch"
    return {path.name[: -len(ENDING)]: path for path in sorted(folder.glob(f"*{ENDING}"))}


def dds_profile() -> dict[str, str]:
    """The variable that names our settings for Fast DDS (see the file, launch/fastdds.xml)."""
    return {"FASTDDS_DEFAULT_PROFILES_FILE": str(share(OURS, os.environ) / "launch/fastdds.xml")}


def find_launch_file(name: str) -> Path:
    """A packaged launch file's name, or a path.

    Raises:
        LaunchError: neither.
    """
    known = launch_files()
    if name in known:
        return known[name]
    path = Path(name).expanduser()
    if path.is_file():
        return path.resolve()
    if os.sep in name or name.endswith((".yaml", ".yml", ".xml", ".py")):
        raise LaunchError(
            expected="a launch file",
            found=f"nothing at {name}" if not path.exists() else f"a folder: {name}",
            remedy=nearest(name, known, f"check the path; packaged are {listed(known)}"),
        )
    raise LaunchError(
        expected=f"a launch file's path, or one of {listed(known)}",
        found=repr(name),
        remedy=nearest(name, known, "name one of these"),
    )
