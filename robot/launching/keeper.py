"""One process of a launch file through all its lives."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping

from reflexarc.robot.launching.backoff import Respawns
from reflexarc.robot.launching.bringup import NodeFinalizedError, bring_down, bring_up
from reflexarc.robot.launching.child import Child
from reflexarc.robot.launching.errors import LaunchError
from reflexarc.robot.launching.model import Process
from reflexarc.robot.launching.tasks import cancel, first_of
from reflexarc.robot.launching.told import Told, ended_by, shell_code, without_time, words_of
from reflexarc.robot.launching.transitions import Transitions

_LONGEST_WORDS = 300


class Keeper:
    """Starts it, passes on its lines, brings its node up, and starts it again.

    Attributes:
        label: of the process.
        turn: set when the node may be brought up; None: at once.
        next_turn: set when the node was active once, or never will be.
        been_active: whether it was active once.
        last: how it last ended, as Python's subprocess has it.
        last_words: the last line that it wrote.
    """

    def __init__(
        self,
        process: Process,
        tell: Callable[[Told], None],
        environment: Mapping[str, str],
        ask: Transitions | None,
        turn: asyncio.Event | None,
    ) -> None:
        """Nothing is started yet.

        Args:
            process: what to run.
            tell: takes what is to be known.
            environment: variables, where the process has none of these names.
            ask: does the transitions of a lifecycle node.
            turn: set when the node may be brought up; None: at once.
        """
        self.label = process.label
        self.turn = turn
        self.next_turn = asyncio.Event()
        self.been_active = False
        self.last: int | None = None
        self.last_words = ""
        self._process = process
        self._tell = tell
        self._environment = {**environment, **process.environment}
        self._ask = ask
        self._child: Child | None = None
        self._since = 0.0
        self._respawns = Respawns(process.respawn)
        self._active = False
        self._stopped_by: int | None = None
        self._recent = ""
        self._failing = False
        self._seen: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and not self._child.ended.done()

    @property
    def is_lifecycle(self) -> bool:
        """Whether it is a node that we bring up."""
        return self._process.lifecycle is not None

    @property
    def required(self) -> bool:
        """Whether all end with it."""
        return self._process.required

    @property
    def code(self) -> int:
        """How it last ended, for a shell."""
        return shell_code(self.last)

    @property
    def words(self) -> str:
        """How it ended, for people."""
        if self._stopped_by is None:
            return ended_by(self.last)
        name = signal.Signals(self._stopped_by).name
        return "stopped" if self._stopped_by == signal.SIGINT else f"stopped only by {name}"

    def start(self) -> None:
        """Start the process.

        Raises:
            LaunchError: the operating system cannot.
        """
        process = self._process
        try:
            self._child = Child(process.command, self._environment, self._line, cwd=process.cwd)
        except (OSError, ValueError) as error:
            raise LaunchError(
                expected=f"to start {self.label}: {process.command[0]}",
                found=str(error),
                remedy="check that it may be executed, and its first line if it is a script",
                where=process.where,
            ) from error
        self._since = asyncio.get_running_loop().time()
        self.last_words = ""
        self._tell(Told("started", self.label, f"process {self._child.pid}"))

    async def keep(self) -> None:
        """Look after it, once started, until it has ended for good.

        Raises:
            LaunchError: its transitions cannot be asked for.
        """
        while True:
            await self._live()
            ran = asyncio.get_running_loop().time() - self._since
            wait = None if self.required else self._respawns.after(ran)
            self._tell(Told("ended", self.label, ended_by(self.last)))
            if wait is None:
                self.next_turn.set()
                return
            self._tell(Told("respawn", self.label, f"starts again in {wait:g} s"))
            await asyncio.sleep(wait)
            try:
                self.start()
            except LaunchError as error:
                self._tell(Told("warning", self.label, str(error)))
                self.last = 127

    async def down(self) -> None:
        """Deactivate and shut down its node, if it is one that we brought up."""
        lifecycle = self._process.lifecycle
        if lifecycle is None or self._ask is None or not self.running:
            return
        assert self._child is not None
        work = asyncio.ensure_future(bring_down(lifecycle.name, self._ask, self._active))
        try:
            await first_of(work, self._child.ended)
            missed = work.result() if work.done() else None
        finally:
            await cancel(work)
        if missed is not None:
            self._tell(Told("warning", self.label, f"does not {missed}; it is ended as it is"))

    async def end(self, hurry: asyncio.Event) -> None:
        """End its process: SIGINT, SIGTERM, SIGKILL; SIGKILL at once when `hurry` is set."""
        if not self.running:
            return
        assert self._child is not None
        process = self._process
        steps = [
            (signal.SIGINT, process.sigterm_timeout_s),
            (signal.SIGTERM, process.sigkill_timeout_s),
        ]
        self._stopped_by = await self._child.end(steps, hurry)
        self.last = self._child.ended.result()
        if self._stopped_by not in (None, signal.SIGINT):
            self._tell(Told("warning", self.label, self.words))

    def kill(self) -> None:
        """At once, on the way out after a bug."""
        if self._child is not None:
            self._child.kill()

    async def _live(self) -> None:
        """One life: until the process has ended."""
        if not self.running:
            return
        assert self._child is not None
        ended = self._child.ended
        lifting = asyncio.ensure_future(self._lift())
        try:
            await first_of(ended, lifting)
            if lifting.done():
                lifting.result()
            await first_of(ended)
        finally:
            await cancel(lifting)
            self._active = False if ended.done() else self._active
        self.last = ended.result()

    async def _lift(self) -> None:
        """Bring its node up, if it is one."""
        lifecycle = self._process.lifecycle
        if lifecycle is None or self._ask is None:
            return
        if self.turn is not None:
            await self.turn.wait()
        self._active, self._failing, self._recent = False, False, ""
        try:
            await bring_up(lifecycle.name, self._ask, self._reached, self._failed)
        except NodeFinalizedError:
            self._tell(Told("warning", self.label, "its node is finalized; its process is ended"))
            assert self._child is not None
            await self._child.end([(signal.SIGINT, 5.0), (signal.SIGTERM, 5.0)])

    def _reached(self, state: str) -> None:
        self._active = state == "active"
        if not self._failing:
            self._recent = ""
        if state == "active":
            self._failing = False
            self._seen.clear()
            self.been_active = True
        self._tell(Told("state", self.label, state))
        if state == "active":
            self.next_turn.set()

    def _failed(self, transition: str) -> None:
        """Say it once for each reason."""
        reason = self._recent or ("" if self._failing else "it does not say why")
        self._failing, self._recent = True, ""
        known = f"{transition}: {reason}"
        if reason and known not in self._seen:
            self._seen.add(known)
            text = f"cannot {transition} yet: {reason}; it is tried again until it can"
            self._tell(Told("waiting", self.label, text))

    def _line(self, line: str) -> None:
        words = words_of(line)
        if words:
            self.last_words = self._recent = words[:_LONGEST_WORDS]
        key = without_time(line)
        # What a node says at every attempt is worth one line.
        if self._failing and key in self._seen:
            return
        if self._ask is not None and not self._active:
            self._seen.add(key)
        self._tell(Told("line", self.label, line))
