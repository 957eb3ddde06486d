"""Board drivers by name, found among the entry points of all installed packages.

A package of anybody's adds one with::

    [project.entry-points."reflexarc.boards"]
    mine = "my_package.my_module:open_mine"

where ``open_mine(config)`` takes a mapping of settings and gives a connected object
with the methods of `Wheels`, `Servos`, or both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reflexarc.core import load_plugin, plugins

GROUP = "reflexarc.boards"


def drivers() -> tuple[str, ...]:
    """Names of the installed drivers, in alphabetical order. Imports none of them."""
    return plugins(GROUP)


def open_driver(name: str, config: Mapping[str, Any]) -> Any:
    """Load the driver `name` and open it with `config`.

    Returns:
        What the driver gives: `Wheels`, `Servos`, or both in one object.

    Raises:
        PluginError: no such driver (with the nearest name), two with that name, or
            one that cannot be imported (with what to install).
        BoardError: the driver's own, such as a port that is not there.
    """
    return load_plugin(GROUP, name, "driver", extra="servos")(config)
