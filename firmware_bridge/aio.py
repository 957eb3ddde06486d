"""The board for asyncio: the same commands, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from reflexarc.firmware_bridge import commands
from reflexarc.firmware_bridge.board import Board, BoardInfo
from reflexarc.firmware_bridge.clock_sync import ClockEstimate
from reflexarc.firmware_bridge.commands import Command
from reflexarc.firmware_bridge.engine import ConnectionStatus
from reflexarc.firmware_bridge.errors import BoardRestartedError
from reflexarc.firmware_bridge.faults import ALL_FAULTS, fault_bits
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.settings import BoardSettings
from reflexarc.firmware_bridge.state import BoardState
from reflexarc.firmware_bridge.statistics import LinkStatistics
from reflexarc.firmware_bridge.window import NoReplyError

T = TypeVar("T")
P = ParamSpec("P")


class AsyncBoard:
    """As `Board`, over the same engine; each method is documented there.

    Commands do not occupy a thread while they wait. `async with await
    AsyncBoard.connect()` closes it at the end.
    """

    def __init__(self, board: Board) -> None:
        """Of a connected board, which this takes over; see `connect`."""
        self._board = board
        self._engine = board._engine
        # For the few things that take several exchanges: one after the other.
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="board-aio")

    @classmethod
    async def connect(
        cls,
        port: str = "auto",
        *,
        baudrate: int = messages.BAUDRATE,
        timeout_s: float = 2.0,
        reconnect: bool = True,
    ) -> AsyncBoard:
        """As `Board.connect`."""
        connect = functools.partial(
            Board.connect, port, baudrate=baudrate, timeout_s=timeout_s, reconnect=reconnect
        )
        return cls(await asyncio.get_running_loop().run_in_executor(None, connect))

    async def _run(self, command: Command[T]) -> T:
        try:
            frame = await asyncio.wrap_future(self._engine.submit(command))
        except NoReplyError as error:
            raise self._engine.no_reply(command, error) from error
        return self._engine.read(command, frame)

    async def _call(self, call: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
        run = functools.partial(call, *args, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self._helper, run)

    @property
    def hello(self) -> messages.HelloReply:
        """As `Board.hello`."""
        return self._board.hello

    @property
    def info(self) -> BoardInfo:
        """As `Board.info`."""
        return self._board.info

    @property
    def warnings(self) -> tuple[str, ...]:
        """As `Board.warnings`."""
        return self._board.warnings

    @property
    def status(self) -> ConnectionStatus:
        """As `Board.status`."""
        return self._board.status

    @property
    def clock(self) -> ClockEstimate | None:
        """As `Board.clock`."""
        return self._board.clock

    @property
    def state(self) -> BoardState | None:
        """As `Board.state`."""
        return self._board.state

    def statistics(self) -> LinkStatistics:
        """As `Board.statistics`."""
        return self._board.statistics()

    def rearm(self) -> None:
        """As `Board.rearm`."""
        self._board.rearm()

    async def drive(self, left: int, right: int) -> tuple[int, int]:
        """As `Board.drive`."""
        return await self._run(commands.drive(left, right))

    async def stop(self) -> None:
        """As `Board.stop`."""
        with contextlib.suppress(BoardRestartedError):
            await self._run(commands.stop())

    async def clear_faults(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """As `Board.clear_faults`."""
        bits = ALL_FAULTS if names is None else fault_bits(tuple(names))
        return await self._run(commands.clear(bits))

    async def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """As `Board.set_servos`."""
        return await self._call(self._board.set_servos, angles)

    async def release_servos(self, names: Iterable[str] | None = None) -> None:
        """As `Board.release_servos`."""
        await self._call(self._board.release_servos, names)

    async def set_light(self, color: str) -> None:
        """As `Board.set_light`."""
        await self._call(self._board.set_light, color)

    async def read_state(self) -> BoardState:
        """As `Board.read_state`."""
        return await self._call(self._board.read_state)

    async def wait_state(
        self, timeout_s: float = 0.5, after: BoardState | None = None
    ) -> BoardState:
        """As `Board.wait_state`."""
        return await self._call(self._board.wait_state, timeout_s, after)

    async def states(self) -> AsyncIterator[BoardState]:
        """Every state from now on; one that was not taken in time is left out."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(news.set)

        seen = self.state
        self._engine.listeners.append(tell)
        try:
            while True:
                await news.wait()
                news.clear()
                self._engine.check()
                if self.state is not None and self.state is not seen:
                    seen = self.state
                    yield seen
        finally:
            self._engine.listeners.remove(tell)

    async def read_settings(self) -> BoardSettings:
        """As `Board.read_settings`."""
        return await self._call(self._board.read_settings)

    async def write_settings(self, settings: BoardSettings) -> None:
        """As `Board.write_settings`."""
        await self._call(self._board.write_settings, settings)

    async def save_settings(self) -> None:
        """As `Board.save_settings`."""
        await self._call(self._board.save_settings)

    async def default_settings(self) -> None:
        """As `Board.default_settings`."""
        await self._call(self._board.default_settings)

    async def close(self) -> None:
        """As `Board.close`."""
        await self._call(self._board.close)
        self._helper.shutdown(wait=False)

    async def __aenter__(self) -> AsyncBoard:
        """Itself, already connected."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """As `close`."""
        await self.close()
