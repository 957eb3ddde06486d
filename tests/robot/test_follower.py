"""Following a board's states over everything that can happen to it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.robot.follower import Follower


class Told:
    """A follower, and what it tells, in order; states by name only."""

    def __init__(self, board: Board) -> None:
        self.said: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.waits = 0
        self.states = 0
        self.raises: BaseException | None = None
        self.follower = Follower(
            board,
            took=self._took,
            lost=lambda error: self.said.put(("lost", error)),
            is_back=lambda restarted: self.said.put(("back", restarted)),
            failed=lambda error: self.said.put(("failed", error)),
            waits=self._wait,
        )
        self.follower.start()

    def _took(self, state: object) -> None:
        self.states += 1
        if self.raises is not None:
            error, self.raises = self.raises, None
            raise error

    def _wait(self) -> None:
        self.waits += 1

    def next(self) -> tuple[str, Any]:
        return self.said.get(timeout=20)


@pytest.fixture
def told(emulator: EmulatedBoard, board: Board) -> Iterator[Told]:
    told = Told(board)
    yield told
    told.follower.stop()


def test_every_state_is_told(emulator: EmulatedBoard, told: Told) -> None:
    emulator.wait(0.2)
    before = told.states
    emulator.wait(1.0)
    assert told.states - before == pytest.approx(100, abs=15)
    assert told.said.empty()


def test_a_cable_pulled_and_put_back(emulator: EmulatedBoard, board: Board, told: Told) -> None:
    emulator.wait(0.1)
    emulator.unplug()
    kind, error = told.next()
    assert kind == "lost"
    assert isinstance(error, LinkLostError)
    assert told.follower.is_lost
    before = told.waits
    emulator.wait(0.5)
    assert told.waits - before == pytest.approx(10, abs=6)  # it does not spin
    with pytest.raises(LinkLostError, match="when it is back, arm again"):
        told.follower.take_back()
    emulator.replug()
    assert told.next() == ("back", False)
    told.follower.take_back()
    assert not told.follower.is_lost
    assert told.said.empty()


def test_a_chip_that_has_started_anew_waits_to_be_taken_back(
    emulator: EmulatedBoard, board: Board, told: Told
) -> None:
    emulator.wait(0.1)
    emulator.reset()
    assert told.next()[0] == "lost"
    assert told.next() == ("back", True)
    before = told.states
    emulator.wait(0.3)
    assert told.states == before
    told.follower.take_back()
    assert told.states > before
    assert told.said.empty()


def test_a_chip_that_lost_its_power_and_its_cable_is_told_once_it_can_be_reached(
    emulator: EmulatedBoard, board: Board, told: Told
) -> None:
    emulator.wait(0.1)
    emulator.unplug()
    assert told.next()[0] == "lost"
    emulator.reset()
    emulator.replug()
    assert told.next() == ("back", True)
    emulator.unplug()
    emulator.wait(0.3)
    emulator.replug()
    assert told.next() == ("back", True)
    told.follower.take_back()
    assert told.said.empty()


def test_a_listener_that_finds_the_link_lost_says_so_for_all(
    emulator: EmulatedBoard, told: Told
) -> None:
    told.raises = LinkLostError(expected="an answer", found="none", remedy="look")
    assert told.next()[0] == "lost"
    assert told.next() == ("back", False)


def test_a_listener_that_fails_ends_it(emulator: EmulatedBoard, told: Told) -> None:
    error = ValueError("mine")
    told.raises = error
    assert told.next() == ("failed", error)
    states = told.states
    emulator.wait(0.1)
    assert told.states == states


def test_nothing_is_told_after_its_end(emulator: EmulatedBoard, told: Told) -> None:
    emulator.wait(0.1)
    told.follower.stop()
    states = told.states
    emulator.unplug()
    emulator.wait(0.3)
    assert (told.states, told.said.empty()) == (states, True)
    assert "board states" not in [thread.name for thread in threading.enumerate()]
