"""What a launch file knows while it is walked through: variables, environment, namespace."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reflexarc.robot.launching.errors import Where
from reflexarc.robot.launching.template import parse_template


@dataclass
class Context:
    """Its variables are ROS 2's launch configurations: text by name.

    Attributes:
        variables: given by arguments and `let`.
        environment: of the processes that are started from here on.
        namespace: pushed by `push_ros_namespace`; None where none was.
        parameters: of every node from here on (`set_parameter`).
        remaps: of every node from here on (`set_remap`).
        file: the launch file that is read.
    """

    variables: dict[str, str]
    environment: dict[str, str]
    file: Path
    namespace: str | None = None
    parameters: list[tuple[str, Any]] = field(default_factory=list)
    remaps: list[tuple[str, str]] = field(default_factory=list)

    def scoped(self) -> Context:
        """A copy: what is changed in it does not leave it."""
        return replace(
            self,
            variables=dict(self.variables),
            environment=dict(self.environment),
            parameters=list(self.parameters),
            remaps=list(self.remaps),
        )

    def text(self, source: str, where: Where) -> str:
        """A text with its substitutions replaced.

        Raises:
            LaunchError: one that is not known or cannot be replaced.
        """
        from reflexarc.robot.launching.substitutions import fill

        return fill(parse_template(source, where), self, where)


def join_namespace(base: str | None, inner: str | None) -> str | None:
    """`inner` below `base`, absolute; an `inner` that begins with / stands alone."""
    if base is None and inner is None:
        return None
    if inner is None:
        joined = base or ""
    elif not base or inner.startswith("/"):
        joined = inner
    else:
        joined = f"{base.rstrip('/')}/{inner}"
    joined = joined.rstrip("/") or "/"
    return joined if joined.startswith("/") else f"/{joined}"
