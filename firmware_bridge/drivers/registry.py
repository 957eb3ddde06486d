"""Board drivers by name, found among the entry points of all installed packages.

A package of anybody's adds one with::

    [project.entry-points."reflexarc.boards"]
    mine = "my_package.my_module:open_mine"

where ``open_mine(config)`` takes a mapping of settings and gives a connected object
with the methods of `Wheels`, `Servos`, or both.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from reflexarc.firmware_bridge.drivers.errors import DriverError

GROUP = "reflexarc.boards"


def drivers() -> tuple[str, ...]:
    """Names of the installed drivers, in alphabetical order. Imports none of them."""
    return tuple(sorted(entry_points(group=GROUP).names))


def open_driver(name: str, config: Mapping[str, Any]) -> Any:
    """Load the driver `name` and open it with `config`.

    Returns:
        What the driver gives: `Wheels`, `Servos`, or both in one object.

    Raises:
        DriverError: no such driver (with the nearest name), two with that name, or
            one that cannot be imported (with what to install).
        BoardError: the driver's own, such as a port that is not there.
    """
    entry = _find(name)
    try:
        opener = entry.load()
    except (ImportError, AttributeError) as error:
        raise DriverError(
            expected=f"the driver {name} to load from {entry.value}",
            found=str(error),
            remedy=_what_to_install(entry),
        ) from error
    return opener(config)


def _find(name: str) -> EntryPoint:
    # One package can be seen twice, by two entries of sys.path.
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise DriverError(
            expected=f"one driver {name}",
            found=f"several: {', '.join(sorted(found))}",
            remedy="uninstall the package that you do not want",
        )
    names = drivers()
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    raise DriverError(
        expected=f"one of these drivers: {', '.join(names) or 'none (install reflexarc again)'}",
        found=repr(name),
        remedy=f"did you mean {near[0]}?" if near else "install the package that brings it",
    )


def _what_to_install(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else "its package"
    if package == "reflexarc":
        return "pip install 'reflexarc[servos]'"
    return f"install what {package} needs: pip install --force-reinstall {package}"
