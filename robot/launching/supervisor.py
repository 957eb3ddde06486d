"""Looks after the processes of a launch file from their start until the last has ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.robot.launching.keeper import Keeper
from reflexarc.robot.launching.model import Launch
from reflexarc.robot.launching.tasks import cancel, first_of
from reflexarc.robot.launching.told import Told, ended_by
from reflexarc.robot.launching.transitions import Transitions

# Nodes with the same of these can hear each other, and are asked by one process.
_DOMAIN = ("ROS_", "RMW_", "FASTDDS_", "FASTRTPS_", "ZENOH_", "CYCLONEDDS_", "AMENT_", "LD_")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ALL_DOWN_S = 6.0
INTERRUPTED = 130


@dataclass(frozen=True)
class Outcome:
    """How a launch ended.

    Attributes:
        code: for the shell. That of the required process that ended first; else 130 after
            Ctrl-C, 0 after SIGTERM; else of the first process of the file that failed.
        summary: who ended of what, in one line.
    """

    code: int
    summary: str


class Supervisor:
    """Starts everything at once, and brings the lifecycle nodes up in the order of the file."""

    def __init__(
        self,
        launch: Launch,
        tell: Callable[[Told], None],
        environment: dict[str, str] | None = None,
    ) -> None:
        """Nothing is started yet.

        Args:
            launch: what to run.
            tell: takes everything that is to be known; called in the thread of `run`.
            environment: variables for the processes that have none of these names.

        Raises:
            LaunchError: something that would be started is not there.
        """
        launch.check()
        if any(process.lifecycle for process in launch.processes):
            Transitions.check()
        self._launch = launch
        self._show = tell
        self._environment = {"PYTHONUNBUFFERED": "1", **(environment or {})}
        self._keepers: list[Keeper] = []
        self._asking: dict[tuple[tuple[str, str], ...], Transitions] = {}
        self._code: int | None = None
        self._why = ""
        self._cause: Keeper | None = None
        self._since = 0.0

    def run(self) -> Outcome:
        """Until all have ended: by themselves, by Ctrl-C or SIGTERM, or with a required one.

        Has to be called in the main thread. A second Ctrl-C kills what has not yet ended.

        Raises:
            LaunchError: a process could not be started; the others were ended.
        """
        return asyncio.run(self._run())

    async def _run(self) -> Outcome:
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        try:
            self._make_keepers()
            for text in self._launch.root.messages():
                self._tell(Told("message", text=text))
            for asking in self._asking.values():
                asking.start()
            for keeper in self._keepers:
                keeper.start()
            await self._until_stop()
            await self._end()
        finally:
            # After an error on the way: at once, whatever is still there.
            for keeper in self._keepers:
                keeper.kill()
            for asking in self._asking.values():
                asking.kill()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
        failed = [keeper.code for keeper in self._keepers if keeper.code]
        code = self._code if self._code is not None else (failed or [0])[0]
        return Outcome(code, self._summary())

    def _make_keepers(self) -> None:
        turn: asyncio.Event | None = None
        for process in self._launch.processes:
            asking = self._asking_for(process.environment) if process.lifecycle else None
            keeper = Keeper(process, self._tell, self._environment, asking, turn)
            self._keepers.append(keeper)
            if process.lifecycle is not None and asking is not None:
                asking.expect(process.lifecycle.name)
                turn = keeper.next_turn

    def _asking_for(self, environment: dict[str, str]) -> Transitions:
        key = tuple(sorted(pair for pair in environment.items() if pair[0].startswith(_DOMAIN)))
        if key not in self._asking:

            def complain(line: str) -> None:
                self._tell(Told("line", "transitions", line))

            self._asking[key] = Transitions({**self._environment, **environment}, complain)
        return self._asking[key]

    async def _until_stop(self) -> None:
        kept = [asyncio.create_task(self._keep(keeper)) for keeper in self._keepers]
        stop = asyncio.create_task(self._stop.wait())
        everything = asyncio.gather(*kept)
        try:
            await first_of(stop, everything)
            if everything.done():
                everything.result()
        finally:
            await cancel(stop, everything, *kept)

    async def _keep(self, keeper: Keeper) -> None:
        await keeper.keep()
        if keeper.required and not self._stop.is_set():
            self._code, self._cause = keeper.code, keeper
            self._why = f"{keeper.label}, which is required, {ended_by(keeper.last)}"
            if keeper.code and keeper.last_words:
                self._why += f" ({keeper.last_words})"
            self._stop.set()

    async def _end(self) -> None:
        """Nodes down one by one, last first; then signals to all at once."""
        running = [keeper for keeper in reversed(self._keepers) if keeper.running]
        if running:
            self._tell(Told("stopping", text=self._why))
        down = asyncio.create_task(self._down(running))
        hurry = asyncio.create_task(self._hurry.wait())
        await first_of(down, hurry, seconds=_ALL_DOWN_S)
        await cancel(down, hurry)
        await asyncio.gather(*(keeper.end(self._hurry) for keeper in running))
        await asyncio.gather(*(asking.end() for asking in self._asking.values()))

    async def _down(self, keepers: list[Keeper]) -> None:
        for keeper in keepers:
            await keeper.down()

    def _summary(self) -> str:
        ends: dict[str, list[str]] = {}
        for keeper in self._keepers:
            if keeper is self._cause:  # `why` tells of it
                continue
            ends.setdefault(keeper.words, []).append(keeper.label)
        told = "; ".join(f"{', '.join(labels)} {words}" for words, labels in ends.items())
        return ": ".join(part for part in (self._why, told) if part)

    def _signalled(self, number: int) -> None:
        if self._stop.is_set():
            self._hurry.set()
            return
        self._code = INTERRUPTED if number == signal.SIGINT else 0
        self._why = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        self._stop.set()

    def _tell(self, told: Told) -> None:
        try:
            self._show(told)
        except OSError:
            # Whoever read our lines has gone (head, a closed terminal): all ends, unheard.
            self._show = _say_nothing
            if not self._stop.is_set():
                self._signalled(signal.SIGHUP)
            return
        states = [keeper.been_active for keeper in self._keepers if keeper.is_lifecycle]
        if told.kind == "state" and told.text == "active" and all(states):
            self._tell_up(len(states))

    def _tell_up(self, count: int) -> None:
        """Once: all are up."""
        if self._since:
            took = asyncio.get_running_loop().time() - self._since
            self._since = 0.0
            nodes = "node is" if count == 1 else "nodes are"
            self._show(Told("up", text=f"{count} {nodes} active after {took:.1f} s"))


def _say_nothing(told: Told) -> None:
    pass
