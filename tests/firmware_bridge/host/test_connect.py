"""Everything that can be wrong at the first connection, and what the user is told."""

import errno
import os
import pty
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from reflexarc.firmware_bridge import (
    Board,
    ConnectionStatus,
    NoAnswerError,
    PortBusyError,
    PortDeniedError,
    PortNotFoundError,
    ProtocolMismatchError,
    engine,
    find_board,
    ports,
    probe,
)
from reflexarc.firmware_bridge.build import build_firmware
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.ports import Port, list_ports


@pytest.fixture
def silent_port() -> Iterator[tuple[str, int]]:
    """A serial port with nobody behind it, and the file descriptor behind it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave), master
    os.close(master)
    os.close(slave)


def test_port_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "list_ports", lambda: [Port("/dev/ttyACM7", "Uno", "2341:0043")])
    with pytest.raises(PortNotFoundError, match="found these ports: /dev/ttyACM7; plug the board"):
        Board.connect("/dev/ttyNONE")


def test_no_port_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "list_ports", list)
    with pytest.raises(PortNotFoundError, match="no serial port at all"):
        Board.connect("/dev/ttyNONE")


def test_port_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PortNotFoundError, match="name a serial port"):
        Board.connect(str(tmp_path / "file"))


def test_port_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **keywords: object) -> None:
        raise serial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(PortDeniedError, match="dialout"):
        Board.connect("/dev/ttyACM0")


def test_port_is_taken(emulator: EmulatedBoard, board: Board) -> None:
    with pytest.raises(PortBusyError, match="close that program"):
        Board.connect(emulator.port)
    assert board.drive(1000, 1000) == (1000, 1000)


def test_a_closed_port_is_free_again(emulator: EmulatedBoard) -> None:
    for _ in range(3):
        Board.connect(emulator.port).close()


def test_nobody_answers(silent_port: tuple[str, int]) -> None:
    with pytest.raises(NoAnswerError, match=r"found silence; .*power"):
        Board.connect(silent_port[0], timeout_s=0.3)


def test_only_garbage_answers(silent_port: tuple[str, int]) -> None:
    port, master = silent_port
    thread = threading.Timer(0.1, os.write, [master, b"\x81garbage\0" * 50])
    thread.start()
    with pytest.raises(NoAnswerError, match=r"450 bytes that make no sense; check the baud rate"):
        Board.connect(port, timeout_s=0.5)
    thread.join()


def test_the_baud_rate_is_another() -> None:
    with EmulatedBoard(build_firmware(baudrate=115_200)) as emulator:
        with pytest.raises(NoAnswerError, match="the baud rate"):
            Board.connect(emulator.port, timeout_s=0.5)
        assert emulator.status().wrong_baud > 0
        with Board.connect(emulator.port, baudrate=115_200) as board:
            assert board.drive(1000, 1000) == (1000, 1000)


@pytest.mark.parametrize("version", [0, 3])
def test_the_firmware_is_from_another_time(version: int) -> None:
    firmware = build_firmware({"ANNOUNCED_PROTOCOL_VERSION": version})
    with (
        EmulatedBoard(firmware) as emulator,
        pytest.raises(
            ProtocolMismatchError, match=f"protocol version 2; found .* version {version}; flash"
        ),
    ):
        Board.connect(emulator.port)


def test_the_firmware_has_another_schema() -> None:
    firmware = build_firmware({"SCHEMA_HASH": "0x12345678UL"})
    with (
        EmulatedBoard(firmware) as emulator,
        pytest.raises(ProtocolMismatchError, match="built from schema 12345678; flash"),
    ):
        Board.connect(emulator.port)


def test_list_ports_gives_usb_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools.list_ports_common import ListPortInfo

    uno = ListPortInfo("/dev/ttyACM0", skip_link_detection=True)
    uno.vid, uno.pid, uno.description = 0x2341, 0x43, "Arduino Uno"
    plain = ListPortInfo("/dev/ttyAMA0", skip_link_detection=True)
    monkeypatch.setattr(ports._list_ports, "comports", lambda: [plain, uno])
    assert list_ports()[0] == Port("/dev/ttyACM0", "Arduino Uno", "2341:0043")
    assert find_board() == "/dev/ttyACM0"


def test_among_several_ports_the_one_that_answers_is_taken(
    monkeypatch: pytest.MonkeyPatch, emulator: EmulatedBoard, silent_port: tuple[str, int]
) -> None:
    both = [Port(silent_port[0], "", "1a86:7523"), Port(emulator.port, "", "2341:0043")]
    monkeypatch.setattr(probe, "list_ports", lambda: both)
    monkeypatch.setattr(probe, "_TIMEOUT_S", 0.5)
    assert find_board() == emulator.port
    with Board.connect("auto") as board:
        # In use, it is no candidate any more, and the reason is said.
        with pytest.raises(PortNotFoundError, match=r"silence.*another program"):
            find_board()
        assert board.drive(1000, 1000) == (1000, 1000)


@pytest.mark.parametrize(
    ("now", "is_same"),
    [
        (Port("/dev/ttyACM1", "", "2341:0043", "A1", "1-1"), True),
        (Port("/dev/ttyACM0", "", "2341:0043", "B2", "1-1"), False),
        (Port("/dev/ttyACM0", "", "1a86:7523", "A1", "1-1"), False),
    ],
)
def test_a_replugged_board_is_known_by_its_number(now: Port, is_same: bool) -> None:
    assert now.is_same_device(Port("/dev/ttyACM0", "", "2341:0043", "A1", "1-1")) is is_same


def test_a_replugged_board_without_a_number_is_known_by_its_socket() -> None:
    before = Port("/dev/ttyUSB0", "", "1a86:7523", None, "1-1.2")
    assert Port("/dev/ttyUSB3", "", "1a86:7523", None, "1-1.2").is_same_device(before)
    assert not Port("/dev/ttyUSB0", "", "1a86:7523", None, "1-1.4").is_same_device(before)


def test_a_board_that_comes_back_under_another_name_is_found(
    monkeypatch: pytest.MonkeyPatch, emulator: EmulatedBoard, tmp_path: Path
) -> None:
    name = tmp_path / "ttyACM0"
    name.symlink_to(emulator.port)
    usb = Port(str(name), "", "2341:0043", "A1", "1-1")
    monkeypatch.setattr(engine, "describe_port", lambda device: usb)
    moved = Port(emulator.port, "", "2341:0043", "A1", "1-1")
    monkeypatch.setattr(engine, "list_ports", lambda: [moved])
    with Board.connect(str(name)) as board:
        emulator.unplug()
        name.unlink()
        emulator.wait(0.2)
        emulator.replug()
        end = emulator.status().seconds + 10
        while board.status is ConnectionStatus.RECONNECTING or not board.statistics().reconnects:
            assert emulator.wait(0.02).seconds < end
        assert board.status is ConnectionStatus.CONNECTED
        assert board.info.port == moved
        assert board.drive(1000, 1000) == (1000, 1000)
