"""Planners by name, and the chain that robot.yaml asks for."""

from __future__ import annotations

import difflib
import threading
from typing import Any

from reflexarc.core import PluginError, load_plugin, plugins
from reflexarc.robot.config import LanguageConfig
from reflexarc.robot.plan import Plan
from reflexarc.robot.planners.base import Planner, PlannerError
from reflexarc.robot.planners.chain import Chain, Link

GROUP = "reflexarc.planners"
SURE = 0.6
"""A planner that is less sure passes the order on to the next."""


def planners() -> tuple[str, ...]:
    """Names of the installed planners. Imports none of them."""
    return plugins(GROUP)


def open_planner(name: str, **options: Any) -> Planner:
    """Make a planner ready.

    Raises:
        PluginError: no such planner, or it needs something that is not installed.
        PlannerError: an option cannot be used.
    """
    planner: Planner = load_plugin(GROUP, name, "planner", "llm")(**options)
    return planner


class Deferred:
    """A planner that is opened at its first order: a robot starts without waiting for it."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
        self._options = options
        self._planner: Planner | None = None
        self._lock = threading.Lock()

    def plan(self, text: str) -> Plan:
        """See `Planner`; what hinders opening it is told as a planner that cannot answer."""
        with self._lock:
            if self._planner is None:
                try:
                    self._planner = open_planner(self.name, **self._options)
                except PluginError as error:
                    raise PlannerError(
                        expected=error.expected, found=error.found, remedy=error.remedy
                    ) from error
        return self._planner.plan(text)


def open_chain(config: LanguageConfig) -> Chain:
    """The planners of robot.yaml in their order; "stop" goes before them.

    Raises:
        PlannerError: a name that is no planner's.
    """
    for name in config.planners:
        if name not in planners():
            near = difflib.get_close_matches(name, planners(), n=1, cutoff=0.5)
            raise PlannerError(
                expected=f"planners among {', '.join(planners())}",
                found=repr(name),
                remedy=f"did you mean {near[0]}?" if near else "install what brings it",
            )
    options = {"llm": config.llm, "local": config.local}
    return Chain([Link(Deferred(n, options.get(n, {})), SURE) for n in config.planners])
