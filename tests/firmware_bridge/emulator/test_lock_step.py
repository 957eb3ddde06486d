"""A body outside leads: emulated time passes only in the steps that it orders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import run_program

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard, EmulatorError

STEP_S = 0.002
STEP_CYCLES = round(STEP_S * CPU_HZ)

HELD_ORPHAN = """
import time
from reflexarc.firmware_bridge.emulator import EmulatedBoard
emulator = EmulatedBoard()
emulator.advance(0.002, 0, 0)
print(emulator.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def held(firmware: FirmwareImage) -> Iterator[EmulatedBoard]:
    """As fast as it goes, and at rest until somebody orders a step."""
    with EmulatedBoard(firmware, speed=0) as emulator:
        emulator.advance(STEP_S, 0, 0)
        yield emulator


@contextlib.contextmanager
def led(emulator: EmulatedBoard) -> Iterator[None]:
    """Steps in the background, for a host that waits for answers."""
    over = threading.Event()

    def lead() -> None:
        while not over.is_set():
            emulator.advance(STEP_S, 0, 0)

    thread = threading.Thread(target=lead)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


class Client:
    """Another client of the control socket."""

    def __init__(self, emulator: EmulatedBoard) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(Path(emulator.port).parent / "control"))
        self.answers = self.socket.makefile()

    def say(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\n")

    def ask(self, line: str) -> dict[str, Any]:
        self.say(line)
        answer: dict[str, Any] = json.loads(self.answers.readline())
        return answer

    def close(self) -> None:
        self.answers.close()
        self.socket.close()


def test_time_stands_between_steps(held: EmulatedBoard) -> None:
    before = held.status().cycle
    time.sleep(0.05)
    assert held.status().cycle == before


def test_steps_add_up_to_the_cycle(held: EmulatedBoard) -> None:
    start = held.status().cycle
    ends = [held.advance(STEP_S, 700, -700).cycle for _ in range(250)]
    # A step may go over by the instruction that was running; the next one is shorter.
    late = [end - start - STEP_CYCLES * (i + 1) for i, end in enumerate(ends)]
    assert all(-8 < each < 40 for each in late)
    assert held.status().alive


def test_the_encoder_follows_the_wheels(held: EmulatedBoard) -> None:
    start = held.exchange(0, 0)
    for _ in range(100):
        step = held.advance(STEP_S, 1003, -502)
    seconds = (step.cycle - start.cycle) / CPU_HZ
    assert step.position == pytest.approx((1003 * seconds, -502 * seconds), abs=1e-3)
    assert step.encoder == pytest.approx(step.position, abs=1)


def test_what_the_host_writes_waits_for_the_next_step(held: EmulatedBoard) -> None:
    before = held.status().rx_bytes
    line = os.open(held.port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(line, b"\x01\x02\x00")
        time.sleep(0.02)
        assert held.status().rx_bytes == before
        held.advance(STEP_S, 0, 0)
        assert held.status().rx_bytes == before + 3
    finally:
        os.close(line)


def test_a_host_gets_its_answers_while_somebody_leads(held: EmulatedBoard) -> None:
    with led(held), Board.connect(held.port) as board:
        assert board.wait_state().battery_v == pytest.approx(7.4, abs=0.1)
        board.drive(2000, 2000)


def test_surroundings_change_while_it_is_held(held: EmulatedBoard) -> None:
    held.unplug()
    assert not held.status().plugged
    assert not Path(held.port).is_symlink()
    held.replug()
    held.set_range(400)
    held.press_bump(True)
    assert held.trace().lost == 0
    assert held.status().plugged


def test_others_may_look_while_one_leads(held: EmulatedBoard) -> None:
    other = Client(held)
    first = other.ask("status")["cycle"]
    held.advance(STEP_S, 0, 0)
    assert other.ask("status")["cycle"] == pytest.approx(first + STEP_CYCLES, abs=40)
    other.close()


def test_only_one_step_at_a_time(firmware: FirmwareImage) -> None:
    with EmulatedBoard(firmware, speed=0.01) as slow:
        leader, other = Client(slow), Client(slow)
        leader.say(f"advance {CPU_HZ // 100} 0 0")
        # It has heard the leader once it has answered somebody else.
        slow.status()
        assert "a step is under way" in other.ask("advance 1 0 0")["error"]
        with pytest.raises(EmulatorError, match="a step is under way"):
            slow.release()
        assert json.loads(leader.answers.readline())["cycle"] > 0
        leader.close()
        other.close()


@pytest.mark.parametrize("speed", [float("nan"), float("inf")])
def test_a_speed_is_a_number(held: EmulatedBoard, speed: float) -> None:
    before = held.status()
    with pytest.raises(EmulatorError, match="has to be a number"):
        held.advance(STEP_S, 0, speed)
    after = held.status()
    assert (after.cycle, after.speed) == (before.cycle, before.speed)


def test_questions_after_a_step_are_answered_in_order(held: EmulatedBoard) -> None:
    other = Client(held)
    start = other.ask("status")["cycle"]
    other.say("advance 32000 0 0\nadvance 32000 0 0\nstatus")
    first, second, status = (json.loads(other.answers.readline()) for _ in range(3))
    assert first["cycle"] == pytest.approx(start + 32000, abs=40)
    assert second["cycle"] == pytest.approx(start + 64000, abs=40)
    assert status["cycle"] == second["cycle"]
    other.close()


def test_it_stays_held_when_the_leader_goes(held: EmulatedBoard) -> None:
    leader = Client(held)
    start = held.status().cycle
    leader.say(f"advance {CPU_HZ // 10} 0 0")
    leader.close()
    while held.status().cycle < start + CPU_HZ // 10:
        time.sleep(0.002)
    stands = held.status().cycle
    time.sleep(0.05)
    assert held.status().cycle == stands
    # And somebody else may lead.
    assert held.advance(STEP_S, 0, 0).cycle == pytest.approx(stands + STEP_CYCLES, abs=40)


def test_released_it_runs_by_itself(held: EmulatedBoard) -> None:
    held.release()
    assert held.wait(0.1).seconds > 0.1


def test_held_it_does_not_outlive_a_killed_python() -> None:
    with run_program([sys.executable, "-c", HELD_ORPHAN], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_in_real_time_a_step_takes_its_time(firmware: FirmwareImage) -> None:
    """The chip's clock is never ahead of ours, so serial latency stays that of the wire."""
    with EmulatedBoard(firmware, speed=1) as emulator:
        emulator.advance(STEP_S, 0, 0)
        before = emulator.status()
        began = time.monotonic()
        for _ in range(50):
            emulator.advance(STEP_S, 0, 0)
        passed = time.monotonic() - began
        emulated = (emulator.status().cycle - before.cycle) / CPU_HZ
        assert emulated == pytest.approx(0.1, abs=1e-4)
        # At most the 50 ms that it may catch up.
        assert passed > emulated - 0.06
