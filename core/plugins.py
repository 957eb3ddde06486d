"""Plug-ins: things that an installed package adds by an entry point of a group.

A package of anybody's adds one with::

    [project.entry-points."reflexarc.tasks"]
    mine = "my_package.my_module:Mine"
"""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from reflexarc.core.errors import ReflexarcError


class PluginError(ReflexarcError):
    """A plug-in that is not installed, is there twice, or does not load."""


def plugins(group: str) -> tuple[str, ...]:
    """Names of a group's plug-ins, in alphabetical order. Imports none of them."""
    return tuple(sorted(entry_points(group=group).names))


def load_plugin(group: str, name: str, what: str, extra: str | None = None) -> Any:
    """Import the plug-in `name`.

    Args:
        group: of entry points, "reflexarc.tasks".
        name: of the plug-in.
        what: what such a plug-in is, for messages: "task".
        extra: reflexarc's own extra that brings what its plug-ins of this group need.

    Raises:
        PluginError: none of that name (with the nearest name), two of them, or one that
            cannot be imported (with what to install).
    """
    entry = _find(group, name, what)
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        package = entry.dist.name if entry.dist is not None else "its package"
        ours = package == "reflexarc" and extra is not None
        raise PluginError(
            expected=f"the {what} {name} to load from {entry.value}",
            found=str(error),
            remedy=f"pip install 'reflexarc[{extra}]'"
            if ours
            else f"install what {package} needs: pip install --force-reinstall {package}",
        ) from error


def _find(group: str, name: str, what: str) -> EntryPoint:
    # One package can be seen twice, by two entries of sys.path.
    found = {entry.value: entry for entry in entry_points(group=group, name=name)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise PluginError(
            expected=f"one {what} {name}",
            found=f"several: {', '.join(sorted(found))}",
            remedy="uninstall the package that you do not want",
        )
    names = plugins(group)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    raise PluginError(
        expected=f"one of these {what}s: {', '.join(names) or 'none (install reflexarc again)'}",
        found=repr(name),
        remedy=f"did you mean {near[0]}?" if near else "install the package that brings it",
    )
