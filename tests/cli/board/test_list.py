"""`reflexarc board list` and `info`: what is behind each port."""

from __future__ import annotations

import json
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import Run

from reflexarc.cli.board.options import BAUDRATE
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import build_firmware
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.ports import Port, open_port
from reflexarc.firmware_bridge.protocol import messages


@pytest.fixture(autouse=True)
def no_real_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has at its ports is not for a test to greet."""
    monkeypatch.setattr("reflexarc.firmware_bridge.ports.list_ports", list)


@pytest.fixture
def silent_port() -> Iterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_no_port_at_all(reflexarc: Run) -> None:
    code, out, _ = reflexarc("board", "list")
    assert code == 0
    assert "plug the board in" in out and "reflexarc emulate" in out
    assert json.loads(reflexarc("board", "list", "--json").out) == []


def test_every_port_has_its_verdict_and_its_remedy(
    reflexarc: Run, emulator: EmulatedBoard, silent_port: str, tmp_path: Path
) -> None:
    older = build_firmware({"ANNOUNCED_PROTOCOL_VERSION": 1})
    master, busy_slave = os.openpty()
    busy, nothing = os.ttyname(busy_slave), tmp_path / "nothing"
    with EmulatedBoard(older) as old, open_port(busy, BAUDRATE):
        code, out, _ = reflexarc(
            "board", "list", emulator.port, old.port, busy, silent_port, nothing, "--json"
        )
    os.close(master)
    os.close(busy_slave)
    assert code == 0
    found = {row["port"]["device"]: row for row in json.loads(out)}
    ours = found.pop(emulator.port)
    assert ours["board"] == {
        "kind": "atmega328p",
        "firmware": "0.2",
        "protocol": messages.PROTOCOL_VERSION,
    }
    assert ours["reason"] == "a reflexarc board" and ours["remedy"] is None
    assert [row["board"] for row in found.values()] == [None] * 4
    reasons = {port: (row["reason"], row["remedy"]) for port, row in found.items()}
    assert "version 1" in reasons[old.port][0] and "flash" in reasons[old.port][1]
    assert "another program" in reasons[busy][0] and "fuser" in reasons[busy][1]
    assert reasons[silent_port][0] == "silence" and "power" in reasons[silent_port][1]
    assert "no serial port" in reasons[str(nothing)][0]


def test_the_table_shows_the_usb_id_and_the_whole_path(
    reflexarc: Run, emulator: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    uno = Port(emulator.port, "Arduino Uno", "2341:0043")
    monkeypatch.setattr("reflexarc.firmware_bridge.ports.list_ports", lambda: [uno])
    code, out, _ = reflexarc("board", "list")
    assert code == 0
    assert "2341:0043" in out and "Arduino" in out
    first_column = [line.split("│")[1].strip() for line in out.splitlines() if "│" in line]
    assert emulator.port in "".join(first_column)
    assert "atmega328p" in out


def test_info_for_machines_and_people(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, _ = reflexarc("board", "info", emulator.port, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["board"]["capabilities"][0] == "drive"
    assert told["board"]["reset_causes"] == ["power_on"]
    assert told["warnings"] == ["EEPROM is empty: built-in settings hold; calibrate and save"]
    assert told["settings"]["servos"]["tilt"]["lowest_deg"] == -45
    assert told["state"]["battery_v"] == pytest.approx(7.4, abs=0.05)
    assert told["link"]["timeouts"] == 0
    assert told["clock"]["error_ns"] > 0
    out = reflexarc("board", "info", emulator.port).out
    for words in ("atmega328p", "round trip", "wheel diameter", "gripper", "EEPROM is empty"):
        assert words in out


def test_a_port_in_use_is_explained(reflexarc: Run, emulator: EmulatedBoard) -> None:
    with Board.connect(emulator.port):
        for verb in ("info", "monitor", "test"):
            code, _, err = reflexarc("board", verb, emulator.port)
            assert code == 2 and "another program that has it open" in " ".join(err.split())


def test_the_baud_rate_of_the_options_is_the_protocols() -> None:
    assert BAUDRATE == messages.BAUDRATE
