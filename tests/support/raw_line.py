"""Words with a board below the level of `Board`: a frame out, its reply back."""

from __future__ import annotations

import os
import select
import time

from reflexarc.firmware_bridge.ports import open_port
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import MessageType

_STREAMS = (MessageType.STATE, MessageType.HEALTH)


class RawLine:
    """An open port; a context manager."""

    def __init__(self, port: str, baudrate: int = messages.BAUDRATE) -> None:
        self._serial = open_port(port, baudrate)
        self._decoder = FrameDecoder()
        self._seq = 0

    def __enter__(self) -> RawLine:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the port."""
        self._serial.close()

    def send(self, type_: int, payload: bytes = b"") -> int:
        """Gives the request's number."""
        self._seq = (self._seq + 1) & 0xFF
        self._serial.write(encode_frame(type_, self._seq, payload))
        return self._seq

    def read(self, timeout_s: float) -> list[Frame]:
        """What has come, after waiting for something to come."""
        ready, _, _ = select.select([self._serial.fileno()], [], [], timeout_s)
        return self._decoder.feed(os.read(self._serial.fileno(), 4096)) if ready else []

    def ask(self, type_: int, payload: bytes = b"", *, tries: int = 40) -> Frame:
        """The reply to a request, which is repeated until answered."""
        for _ in range(tries):
            seq = self.send(type_, payload)
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                for frame in self.read(0.01):
                    if frame.seq == seq and frame.type not in _STREAMS:
                        return frame
        raise AssertionError(f"no reply to {type_:#x} in {tries} tries")

    def hello(self, session: int = 7) -> messages.HelloReply:
        """Greet."""
        payload = messages.Hello(messages.PROTOCOL_VERSION, session).pack()
        return messages.HelloReply.unpack(self.ask(MessageType.HELLO, payload).payload)

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """What is applied."""
        reply = self.ask(MessageType.DRIVE, messages.Drive((left, right)).pack())
        return messages.DriveReply.unpack(reply.payload).speed

    def state(self) -> messages.State:
        """Asked for."""
        return messages.State.unpack(self.ask(MessageType.GET_STATE).payload)

    def health(self) -> messages.Health:
        """Asked for."""
        return messages.Health.unpack(self.ask(MessageType.GET_HEALTH).payload)

    def status(self, type_: int, payload: bytes = b"") -> int:
        """The status of a request that is answered with an Ack."""
        frame = self.ask(type_, payload)
        assert frame.type == MessageType.ACK
        return messages.Ack.unpack(frame.payload).status
