"""`reflexarc chat`: a talk at a terminal, with the emulated board at the other end."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from reflexarc.firmware_bridge.emulator import EmulatedBoard


class Terminal:
    """A person at a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reflexarc.cli", "chat", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def expect(self, pattern: str, seconds: float = 60) -> str:
        """Read until it is there; what is before it is behind us."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < end, self.seen
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._ours, 4096).decode(errors="replace")
                except OSError:
                    pytest.fail(f"it ended: {self.seen}")
        self.seen = self.seen[found.end() :]
        return found.group()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def close(self) -> int:
        """Its exit code."""
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._ours, 4096).decode(errors="replace")
                except OSError:
                    break
        code = self.process.wait(10)
        os.close(self._ours)
        return code


@pytest.fixture
def terminal(emulator: EmulatedBoard) -> Iterator[Terminal]:
    person = Terminal("--port", emulator.port)
    yield person
    if person.process.poll() is None:
        person.process.kill()
        person.close()


def test_a_talk(emulator: EmulatedBoard, terminal: Terminal) -> None:
    terminal.expect("armed")
    terminal.expect("> ")
    terminal.type("make the light red\n")
    terminal.expect("Make the light red.")
    terminal.expect("finished: light red")
    terminal.expect("> ")
    assert emulator.status().light == (1, 0, 0)

    terminal.type("turn left 400 degrees\n")
    terminal.expect(r"Shall I\?")
    terminal.type("no\n")
    terminal.expect("All right, I leave it.")

    terminal.type("go forward 2 metres\n")  # not so far that it asks
    while emulator.status().speed[0] < 1000:
        time.sleep(0.01)
    terminal.interrupt()
    terminal.expect("Stopped.")
    assert emulator.wait(0.05).duty == (0, 0)
    terminal.expect("> ")
    terminal.type("fly to the moon\n")
    terminal.expect("> ")
    terminal.type("nod\n")  # and it still does what it is told
    terminal.expect("finished: nod")

    terminal.interrupt()  # at the prompt
    terminal.expect("Stopped.")
    terminal.type("bye\n")
    assert terminal.close() == 0
    assert emulator.wait(0.05).duty == (0, 0)


def test_control_d_ends_it_in_mid_move_with_motors_off(
    emulator: EmulatedBoard, terminal: Terminal
) -> None:
    terminal.expect("> ")
    terminal.type("what are your rules?\n")
    terminal.expect("I have no rules.")
    terminal.type("\x04")
    assert terminal.close() == 0
    assert emulator.status().duty == (0, 0)


def test_a_board_that_goes_away_ends_the_order_and_not_the_talk(
    emulator: EmulatedBoard, terminal: Terminal
) -> None:
    terminal.expect("> ")
    terminal.type("go forward 2 metres\n")
    while emulator.status().speed[0] < 1000:
        time.sleep(0.01)
    emulator.unplug()
    terminal.expect("the board is lost")
    terminal.expect("> ")
    terminal.type("go forward 1 metre\n")
    terminal.expect("the board is lost")
    terminal.type("bye\n")
    assert terminal.close() == 0
    assert "Traceback" not in terminal.seen
