"""`reflexarc board monitor`: what it draws, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from programs import run_program
from rich.console import Console
from shell import Run

from reflexarc.cli.board.dashboard import dashboard
from reflexarc.firmware_bridge import Board, ConnectionStatus
from reflexarc.firmware_bridge.emulator import EmulatedBoard


def draw(board: Board) -> str:
    console = Console(record=True, width=80, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(dashboard(board))
    console.file.close()
    return console.export_text()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def rows(picture: str) -> dict[str, str]:
    """By the first word or words of each line's left half, or of its right half."""
    found = {}
    for line in picture.splitlines()[1:-1]:
        for half in (line[1:51], line[51:-1]):
            name, _, value = half.strip().partition("  ")
            found[name.strip()] = value.strip()
    return found


def test_the_picture_says_what_the_emulated_board_does(
    emulator: EmulatedBoard, board: Board, keep_driving: Callable[[int, int, float], None]
) -> None:
    emulator.set_range(640)
    board.set_servos({"pan": 45, "tilt": -20})
    wait_until(lambda: board.clock is not None)
    keep_driving(2000, -2000, 0.6)
    picture = draw(board)
    assert all(len(line) == 80 for line in picture.splitlines())
    assert len(picture.splitlines()) <= 24
    assert "…" not in picture
    assert "atmega328p firmware 0.2" in picture and "CONNECTED" in picture
    found = rows(picture)
    for side, sign in (("left", 1), ("right", -1)):
        speed, counts, bar = found[side].split(maxsplit=2)
        assert int(speed) * sign == pytest.approx(2000, rel=0.1)
        assert int(counts) * sign > 500
        # About 93 of 255: three of eight, on the side of the sign.
        left, right = bar.split("│")
        assert (right if sign > 0 else left).count("█") == 3
        assert (left if sign > 0 else right).count("█") == 0
    assert found["pan"].startswith("45.0") and found["tilt"].startswith("-20.0")
    assert found["gripper"] == "limp"
    assert found["motors"] == "on" and found["faults"] == "none"
    assert found["battery"].startswith("7.") and found["range"].endswith(" m")
    assert float(found["range"].split()[0]) == pytest.approx(0.64, abs=0.002)
    assert found["bump"] == "free" and found["emergency stop"] == "closed"
    assert found["round trip p50"].endswith("ms") and found["CRC errors"] == "0"
    assert found["drift"].endswith("ppm")


def test_faults_and_a_restart_are_in_the_picture(emulator: EmulatedBoard, board: Board) -> None:
    emulator.press_bump(True)
    emulator.open_emergency_stop(True)
    wait_until(lambda: bool(board.state and board.state.faults and board.state.bump))
    found = rows(draw(board))
    assert found["bump"] == "pressed" and found["emergency stop"] == "open"
    assert found["faults"] == "emergency stop"
    emulator.unplug()
    wait_until(lambda: board.status is ConnectionStatus.RECONNECTING)
    assert "RECONNECTING" in draw(board) and "values are old" in draw(board)
    emulator.reset()
    emulator.replug()
    wait_until(lambda: board.status is ConnectionStatus.RESTARTED and board.state is not None)
    picture = draw(board)
    assert "RESTARTED" in picture and "started anew (external)" in picture
    assert rows(picture)["reconnects"] == "1"


def test_lines_for_machines_outlive_a_pulled_cable_and_a_restart(
    emulator: EmulatedBoard, reflexarc_process: Callable[..., subprocess.Popen[str]]
) -> None:
    process = reflexarc_process("board", "monitor", emulator.port, "--jsonl")
    lines: list[dict[str, Any]] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(json.loads(line))

    def wait_for(status: str) -> None:
        def is_there() -> bool:
            newest = lines[-1] if lines else {"status": "silent", "state": None}
            return newest["status"] == status and newest["state"] is not None

        wait_until(is_there)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_for("connected")
    emulator.unplug()
    wait_for("reconnecting")
    emulator.reset()
    emulator.replug()
    wait_for("restarted")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    reader.join(20)
    times = [line["state"]["chip_us"] for line in lines if line["status"] == "connected"]
    assert times == sorted(set(times)), "one line a state"
    assert lines[0]["state"]["faults"] == [] and lines[0]["link"]["crc_errors"] == 0
    assert lines[-1]["link"]["reconnects"] == 1
    # It looked, and drove nothing.
    assert emulator.status().last_edge_cycle == (0, 0)


def test_ctrl_c_leaves_the_terminal_as_it_was(emulator: EmulatedBoard) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "reflexarc.cli", "board", "monitor", emulator.port]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    with run_program(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        screen = b""
        while b"emergency stop" not in screen:
            assert select.select([master], [], [], 20)[0]
            screen += os.read(master, 65536)
        assert b"\x1b[?1049h" in screen and b"\x1b[?25l" in screen
        process.send_signal(signal.SIGINT)
        while select.select([master], [], [], 20)[0]:
            try:
                screen += os.read(master, 65536)
            except OSError:  # The process has closed its end.
                break
        assert process.wait(20) == 0
    os.close(master)
    # The other screen is left, and the cursor is back; in the end, not before.
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
        assert screen.rindex(off) > screen.rindex(on)
    assert b"Traceback" not in screen


def test_a_pipe_gets_the_last_picture(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, _ = reflexarc("board", "monitor", emulator.port, "--duration", 0.5)
    assert code == 0
    assert out.count("CONNECTED") == 1 and "7." in out
