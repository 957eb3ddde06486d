"""Where the robot's manual lies, docs/ and the README: in the checkout or where pip puts it."""

from __future__ import annotations

import sysconfig
from importlib.resources import files
from pathlib import Path

NAME = "manual"
"""What stands for it among the sources of a knowledge base."""
_FOR_ENGINEERS = frozenset({"architecture", "gazebo", "launch", "network", "simulation"})
"""Pages about the graph: tables of topics that answer no question of somebody at the robot."""


def manual_files() -> list[tuple[Path, str]]:
    """The manual's Markdown files with their names for people; none where they were left out."""
    checkout = Path(str(files("reflexarc.robot.knowledge"))).parents[1]
    installed = Path(sysconfig.get_path("data")) / "share" / "reflexarc" / "manual"
    for root in (checkout, installed):
        if (root / "docs").is_dir() and (root / "README.md").is_file():
            pages = sorted((root / "docs").glob("*.md"))
            found = [root / "README.md", *(p for p in pages if p.stem not in _FOR_ENGINEERS)]
            return [(path, str(path.relative_to(root))) for path in found]
    return []
