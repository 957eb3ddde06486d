"""Requests to servos on one line, repeated until they are known to have arrived.

One lost or broken packet is an everyday event on a half-duplex bus, so nothing here
gives up at the first; and a write to several servos at once has no reply by either
protocol, so it is read back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from reflexarc.firmware_bridge.drivers.errors import ServoError, ServoMissingError

TRIES = 5


@dataclass(frozen=True)
class Reply:
    """A servo's status packet."""

    error: int
    """The status byte as it came."""
    data: bytes


class Packets(Protocol):
    """One try at each request, in a vendor's protocol. No answer is not an error here."""

    def ping(self, servo: int) -> bool:
        """Whether it answers."""

    def sync_read(self, address: int, length: int, servos: Collection[int]) -> dict[int, Reply]:
        """The whole answers that came, by id."""

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """One packet to all of them."""


@dataclass
class BusStatistics:
    """Counts since the bus was opened first."""

    requests: int = 0
    """Single packets sent, repetitions included."""
    retries: int = 0
    """Requests repeated because a reply was lost or broken, or a write did not arrive."""
    reconnects: int = 0
    """Times that the port was opened again after it was lost."""
    restarts: int = 0
    """Servos found to have lost power and started anew (Dynamixel only)."""
    watchdog_stops: int = 0
    """Servos found stopped by their own watchdog (Dynamixel only)."""


class ServoBus:
    """The servos on one line.

    Args:
        packets: the protocol.
        names: what to call each id in an error.
        statistics: counted up in place.
    """

    def __init__(
        self, packets: Packets, names: Mapping[int, str], statistics: BusStatistics
    ) -> None:
        self._packets = packets
        self._names = names
        self.statistics = statistics

    def name(self, servo: int) -> str:
        """How an error calls it: "pan (id 1)"."""
        return f"{self._names[servo]} (id {servo})"

    def ping(self, servo: int, tries: int = TRIES) -> bool:
        """Whether it answers within so many tries."""
        for attempt in range(tries):
            self._count(attempt)
            if self._packets.ping(servo):
                return True
        return False

    def read(self, address: int, length: int, servos: Collection[int]) -> dict[int, Reply]:
        """`length` bytes of each one's memory. Only those that failed are asked again.

        Raises:
            ServoMissingError: one that answered none of the tries.
        """
        replies: dict[int, Reply] = {}
        for attempt in range(TRIES):
            left = [servo for servo in servos if servo not in replies]
            if not left:
                return replies
            self._count(attempt)
            replies |= self._packets.sync_read(address, length, left)
        for servo in servos:
            if servo not in replies:
                raise self._silent(servo)
        return replies

    def write(
        self, address: int, data: Mapping[int, bytes], compare: Collection[int] | None = None
    ) -> dict[int, Reply]:
        """Write to several servos in one packet, and read back until all of them hold it.

        Args:
            address: of the first byte.
            data: as many bytes for each of them.
            compare: which of the bytes must read back as written; None is all.

        Returns:
            What was read back, whose status bytes are newer than the write.

        Raises:
            ServoMissingError: one that answers no more.
            ServoError: one that answers and does not take it.
        """
        length = len(next(iter(data.values())))
        compared = range(length) if compare is None else compare
        left = dict(data)
        replies: dict[int, Reply] = {}
        for attempt in range(TRIES):
            self._count(attempt)
            self._packets.sync_write(address, left)
            self._count(0)
            answers = self._packets.sync_read(address, length, left)
            replies |= answers
            left = {
                servo: value
                for servo, value in left.items()
                if servo not in answers
                or any(answers[servo].data[index] != value[index] for index in compared)
            }
            if not left:
                return replies
        servo = next(iter(left))
        if servo not in replies:
            raise self._silent(servo)
        raise ServoError(
            expected=f"{self.name(servo)} to hold {left[servo].hex(' ')} at address {address}",
            found=f"{replies[servo].data.hex(' ')} after {TRIES} tries",
            remedy="check with the vendor's tool that nothing locks it, and that no second "
            "program talks on the bus",
        )

    def _count(self, attempt: int) -> None:
        self.statistics.requests += 1
        self.statistics.retries += attempt > 0

    def _silent(self, servo: int) -> ServoMissingError:
        return ServoMissingError(
            expected=f"an answer from servo {self.name(servo)}",
            found=f"none, or only broken ones, to {TRIES} requests",
            remedy="check its plug and the servos' power supply; a cable shorter than 1 m, and "
            "one ground for all",
        )
