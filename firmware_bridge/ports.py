"""Serial ports: which there are, and opening one with a useful error."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools import list_ports as _list_ports

from reflexarc.firmware_bridge.errors import (
    BoardError,
    PortBusyError,
    PortDeniedError,
    PortNotFoundError,
)


@dataclass(frozen=True)
class Port:
    """A serial port that could have a board at it."""

    device: str
    description: str
    usb_id: str | None
    """Vendor and product, "2341:0043", where it is on USB."""


def list_ports() -> list[Port]:
    """Serial ports with hardware behind them, USB first."""
    ports = [
        Port(
            device=str(info.device),
            description=str(info.description),
            usb_id=f"{info.vid:04x}:{info.pid:04x}" if info.vid is not None else None,
        )
        for info in _list_ports.comports()
    ]
    return sorted(ports, key=lambda port: (port.usb_id is None, port.device))


def _names_of_ports() -> str:
    names = [port.device for port in list_ports()]
    return f"these ports: {', '.join(names)}" if names else "no serial port at all"


def find_port() -> str:
    """The one port that can be the board's: on USB, or the only one there is.

    Raises:
        PortNotFoundError: none, or several.
    """
    ports = list_ports()
    candidates = [port for port in ports if port.usb_id is not None] or ports
    if len(candidates) == 1:
        return candidates[0].device
    raise PortNotFoundError(
        expected="one serial port that can be the board's",
        found=_names_of_ports(),
        remedy="name the port" if candidates else "plug the board in",
    )


def _explain(port: str, error: OSError) -> BoardError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortDeniedError(
            expected=f"permission to open {port}",
            found="permission denied",
            remedy="join the port's group (sudo usermod -aG dialout $USER) and log in again",
        )
    # pyserial's exclusive lock has no errno of its own.
    if error.errno in (errno.EBUSY, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return PortBusyError(
            expected=f"{port} to be free",
            found="another program that has it open",
            remedy=f"close that program (fuser -v {port} names it)",
        )
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or not Path(port).exists():
        return PortNotFoundError(
            expected=f"a serial port {port}",
            found=_names_of_ports(),
            remedy="plug the board in, or name one of the ports found",
        )
    return PortNotFoundError(
        expected=f"a serial port at {port}",
        found=str(error),
        remedy="name a serial port, such as /dev/ttyACM0",
    )


def open_port(port: str, baudrate: int) -> serial.Serial:
    """Open `port` for us alone; what an earlier user left in it is thrown away.

    Raises:
        PortNotFoundError, PortDeniedError, PortBusyError: as their names say.
    """
    try:
        opened = serial.Serial(port, baudrate, timeout=0, write_timeout=1.0, exclusive=True)
    except OSError as error:
        raise _explain(port, error) from error
    except ValueError as error:
        raise BoardError(
            expected="a baud rate that the port can do",
            found=str(error),
            remedy="use the firmware's, 500000 by default",
        ) from error
    opened.reset_input_buffer()
    return opened
