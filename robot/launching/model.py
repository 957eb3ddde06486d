"""A resolved launch file: nothing is left to substitute, nothing is started yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reflexarc.robot.launching.errors import LaunchError, Where


@dataclass(frozen=True)
class Argument:
    """An `arg` tag.

    Attributes:
        default: as written, before substitution; None where the argument must be given.
        value: what it is in this launch; None where it was not reached.
    """

    name: str
    description: str
    default: str | None
    choices: tuple[str, ...]
    where: Where
    value: str | None = None


@dataclass(frozen=True)
class Respawn:
    """Start it again whenever it ends.

    Attributes:
        delay_s: before the first new start; doubled after each, up to half a minute.
        most: how many times; None: without end.
    """

    delay_s: float
    most: int | None


@dataclass(frozen=True)
class Lifecycle:
    """A node that the runner configures and activates.

    Attributes:
        name: absolute, "/robot/base".
    """

    name: str


@dataclass(frozen=True)
class Process:
    """A `node` or an `executable`.

    Attributes:
        label: stands before its lines on the screen; no two are alike.
        command: program and arguments. Empty where the program was not found.
        environment: all of it.
        changes: what the launch file changed in the environment; None: unset.
        cwd: folder that it runs in; None: ours.
        required: when it ends, all end (`on_exit: shutdown`).
        sigterm_timeout_s: from SIGINT to SIGTERM.
        sigkill_timeout_s: from SIGTERM to SIGKILL.
        missing: why it cannot be started.
    """

    label: str
    command: tuple[str, ...]
    environment: dict[str, str]
    where: Where
    changes: dict[str, str | None] = field(default_factory=dict)
    cwd: Path | None = None
    required: bool = False
    respawn: Respawn | None = None
    sigterm_timeout_s: float = 5.0
    sigkill_timeout_s: float = 5.0
    lifecycle: Lifecycle | None = None
    package: str | None = None
    executable: str | None = None
    node_name: str | None = None
    namespace: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    remaps: tuple[tuple[str, str], ...] = ()
    missing: LaunchError | None = None


@dataclass(frozen=True)
class Message:
    """A `log` tag: told when the launch begins."""

    text: str


@dataclass(frozen=True)
class Section:
    """A file or a group and what is in it."""

    title: str
    items: tuple[Process | Message | Section, ...]

    def processes(self) -> Iterator[Process]:
        """All of them, in the order of the file."""
        for item in self.items:
            if isinstance(item, Process):
                yield item
            elif isinstance(item, Section):
                yield from item.processes()

    def messages(self) -> Iterator[str]:
        """All of them, in the order of the file."""
        for item in self.items:
            if isinstance(item, Message):
                yield item.text
            elif isinstance(item, Section):
                yield from item.messages()


@dataclass(frozen=True)
class Launch:
    """A resolved launch file.

    Attributes:
        root: the file, with groups and included files in it.
        arguments: of all files, by name.
    """

    file: Path
    root: Section
    arguments: dict[str, Argument]

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them, in the order of the file."""
        return tuple(self.root.processes())

    def check(self) -> None:
        """See that everything is there that would be started.

        Raises:
            LaunchError: of the first process whose program is missing, or nothing to start.
        """
        for process in self.processes:
            if process.missing is not None:
                raise process.missing
        if not self.processes:
            raise LaunchError(
                expected=f"something to start in {self.file}",
                found="nothing with these arguments",
                remedy=f"see `reflexarc launch {self.file} --show-args`",
            )
