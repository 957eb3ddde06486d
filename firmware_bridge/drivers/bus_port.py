"""A serial port in the shape that both vendors' packet handlers want.

Feetech's library grew out of Robotis', so one class serves both. Theirs poll with
all of a core until the time is up, measure it with a clock that can be set back, let
a second program open the same port, and stay "busy" for ever after one failed write.
"""

from __future__ import annotations

import select
import termios
import time

from reflexarc.firmware_bridge.ports import open_port


class BusPort:
    """An open port. The method names are the vendors'.

    Args:
        device: path of the port.
        baudrate: bits a second.
        reply_timeout_s: from the end of a request to the first byte of its reply.

    Raises:
        PortNotFoundError, PortDeniedError, PortBusyError: as `open_port`.
    """

    def __init__(self, device: str, baudrate: int, reply_timeout_s: float) -> None:
        self._serial = open_port(device, baudrate)
        self._byte_s = 10 / baudrate
        self._reply_timeout_s = reply_timeout_s
        self._deadline = 0.0
        self._written = 0

    @property
    def is_using(self) -> bool:
        """Never: the lock around the whole bus already sees to that."""
        return False

    @is_using.setter
    def is_using(self, value: bool) -> None:
        pass

    def clearPort(self) -> None:  # noqa: N802
        """Throw away what has come in: late replies to earlier requests."""
        try:
            self._serial.reset_input_buffer()
        except termios.error as error:  # An adapter that is gone; not an OSError by itself.
            raise OSError(*error.args) from error

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        """Send all of it; gives the number of bytes."""
        self._written = self._serial.write(bytes(packet))
        return self._written

    def readPort(self, length: int) -> bytes:  # noqa: N802
        """Up to `length` bytes; waits for the first one until the deadline."""
        if length <= 0:
            return b""
        left = self._deadline - time.monotonic()
        if left > 0:
            select.select([self._serial.fileno()], [], [], left)
        return bytes(self._serial.read(length))

    def setPacketTimeout(self, length: int) -> None:  # noqa: N802
        """The reply of `length` bytes may take until then, from now."""
        bytes_on_line = length + self._written
        self._deadline = time.monotonic() + bytes_on_line * self._byte_s + self._reply_timeout_s

    def isPacketTimeout(self) -> bool:  # noqa: N802
        """Whether the deadline is over."""
        return time.monotonic() >= self._deadline

    def close(self) -> None:
        """Free the port. Never raises."""
        self._serial.close()
