"""Serial ports: which there are, and opening one for us alone with a useful error."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import termios
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
    serial_number: str | None = None
    """The USB device's own, where it has one."""
    location: str | None = None
    """Which USB socket it is in."""

    def is_same_device(self, other: Port) -> bool:
        """The same board, even if its port has another name now."""
        if self.usb_id != other.usb_id:
            return False
        if self.usb_id is None:
            return self.device == other.device
        if self.serial_number or other.serial_number:
            return self.serial_number == other.serial_number
        return self.location == other.location


def list_ports() -> list[Port]:
    """Serial ports with hardware behind them, USB first."""
    ports = [
        Port(
            device=str(info.device),
            description=str(info.description),
            usb_id=f"{info.vid:04x}:{info.pid:04x}" if info.vid is not None else None,
            serial_number=info.serial_number,
            location=info.location,
        )
        for info in _list_ports.comports()
    ]
    return sorted(ports, key=lambda port: (port.usb_id is None, port.device))


def _names_of_ports() -> str:
    names = [port.device for port in list_ports()]
    return f"these ports: {', '.join(names)}" if names else "no serial port at all"


def describe_port(device: str) -> Port:
    """What is known of a port; only its path where it is not listed (a link, a pty)."""
    real = os.path.realpath(device)
    for port in list_ports():
        if os.path.realpath(port.device) == real:
            return port
    return Port(device, "", None)


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
    _set_exclusive(opened, termios.TIOCEXCL)
    return opened


def close_port(opened: serial.Serial) -> None:
    """Close it, for whoever comes next."""
    _set_exclusive(opened, termios.TIOCNXCL)
    opened.close()


def _set_exclusive(opened: serial.Serial, request: int) -> None:
    # pyserial's lock binds only programs that look at it; this one binds a terminal too.
    # Not on a pty: its other end keeps it open, so the mark would outlive a killed host.
    if not os.path.realpath(opened.port).startswith("/dev/pts/"):
        with contextlib.suppress(OSError):
            fcntl.ioctl(opened.fileno(), request)
