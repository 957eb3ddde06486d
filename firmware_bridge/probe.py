"""Which port is the board's: each one is asked, and what it says is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from reflexarc.firmware_bridge import handshake
from reflexarc.firmware_bridge.errors import BoardError, PortNotFoundError
from reflexarc.firmware_bridge.link import Link
from reflexarc.firmware_bridge.ports import Port, list_ports
from reflexarc.firmware_bridge.protocol import messages

# An Arduino that opening the port has restarted is in its bootloader for a second.
_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Probe:
    """One port's answer."""

    port: Port
    hello: messages.HelloReply | None
    """None where no board of ours answered."""
    reason: str
    """What speaks for or against it."""
    remedy: str = ""
    """What to do where no board of ours answered."""


def probe_port(port: Port, baudrate: int = messages.BAUDRATE) -> Probe:
    """Greet what is behind a port (motors off) and let go of it again. Never raises."""
    try:
        link = Link(port.device, baudrate)
    except BoardError as error:
        return Probe(port, None, error.found, error.remedy)
    try:
        hello = handshake.shake_hands(link, _TIMEOUT_S, secrets.randbelow(1 << 31) + 1)
    except BoardError as error:
        return Probe(port, None, error.found, error.remedy)
    finally:
        link.close()
    return Probe(port, hello, "a reflexarc board")


def probe_ports(baudrate: int = messages.BAUDRATE) -> list[Probe]:
    """All ports with hardware behind them, USB first."""
    return [probe_port(port, baudrate) for port in list_ports()]


def find_board(baudrate: int = messages.BAUDRATE) -> str:
    """The path of the one port with a board: the only one on USB, or the only one that
    answers.

    Raises:
        PortNotFoundError: none, or several.
    """
    ports = list_ports()
    candidates = [port for port in ports if port.usb_id is not None] or ports
    if len(candidates) == 1:
        return candidates[0].device
    probes = [probe_port(port, baudrate) for port in candidates]
    boards = [probe.port.device for probe in probes if probe.hello is not None]
    if len(boards) == 1:
        return boards[0]
    said = "; ".join(f"{probe.port.device}: {probe.reason}" for probe in probes)
    raise PortNotFoundError(
        expected="one serial port with a board",
        found=said or "no serial port at all",
        remedy="name the port" if boards else "plug the board in",
    )
