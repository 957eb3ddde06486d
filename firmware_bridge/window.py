"""Requests on their way: what to send now, what to send again, what has ended. No I/O.

Selective repeat (each request has its own timer) with a window in bytes, so that the
chip's receive buffer cannot overrun. The line keeps the order of what is sent: an answer
tells that everything sent before has arrived or is lost, and only that is repeated as a
whole. While nothing is answered, what was sent may still be on its way (a USB bus that
stalls), and one request alone is repeated, to find out.
Times are seconds on any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

from reflexarc.firmware_bridge.errors import CommandSupersededError
from reflexarc.firmware_bridge.protocol.frame import Frame, encode_frame
from reflexarc.firmware_bridge.protocol.messages import Ack, MessageType
from reflexarc.firmware_bridge.statistics import Counters

# A round trip is below 2 ms; a busy host may take longer to look. Repeating too
# early costs a frame, and requests are idempotent.
ANSWER_TIMEOUT_S = 0.010
# After this the chip has stopped the motors by itself. Until then there are 30 tries: with
# 5 % of all bytes broken two in three fail, but thirty in a row once in 10^5.
GIVE_UP_S = 0.3
TRIES = round(GIVE_UP_S / ANSWER_TIMEOUT_S)
# Room for a STOP, which never waits.
_RESERVE = 8
_NUMBERS = 256


class NoReplyError(Exception):
    """A request was tried as often as allowed. `args[0]` is the number of tries."""


@dataclass(eq=False)
class Request:
    """One question to the chip; `future` ends with the reply's frame or an error.

    Attributes:
        key: requests of one key set the same thing: a newer one ends the repetition
            of an older, so that an old set point never overtakes a new one.
        urgent: goes before everything that waits, whatever the window says.
        tries: how many times it waits for an answer; None as the window has it.
        timeout_s: how long each time; None as the window has it.
        sent: how often it was put on the line: at most once for each try.
        first_place, last_place: its first and last place among all that was sent.
    """

    type: MessageType
    payload: bytes = b""
    key: Hashable = None
    urgent: bool = False
    tries: int | None = None
    timeout_s: float | None = None
    future: Future[Frame] = field(default_factory=Future)
    seq: int = -1
    data: bytes = b""
    sent: int = 0
    tried: int = 0
    first_place: int = 0
    last_place: int = 0
    first_sent_s: float = 0.0
    due_s: float = 0.0
    is_superseded: bool = False

    def fail(self, error: Exception) -> None:
        """End it, unless it has ended."""
        if not self.future.done():
            self.future.set_exception(error)


class Window:
    """The requests between being asked for and being answered.

    Args:
        capacity: bytes of unanswered requests that may be on the line.
        counters: where to count; a link that comes back goes on counting.
        timeout_s: after which a request is sent again; it is given up after GIVE_UP_S.
    """

    def __init__(
        self,
        capacity: int,
        counters: Counters | None = None,
        *,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.capacity = capacity
        self._timeout_s = timeout_s
        self._tries = max(1, round(GIVE_UP_S / timeout_s))
        self._counters = counters or Counters()
        self._waiting: deque[Request] = deque()
        self._flying: dict[int, Request] = {}
        self._flying_bytes = 0
        self._seq = 0
        self._places = 0
        self._passed = 0
        """The chip has heard, or lost, all that has a lower place."""

    def __len__(self) -> int:
        """Requests that have not ended."""
        return len(self._waiting) + len(self._flying)

    @property
    def has_room(self) -> bool:
        """Would a request be sent at once?"""
        return not self._waiting and self._flying_bytes <= self.capacity - 2 * _RESERVE

    def submit(self, request: Request) -> None:
        """Take a request; `to_send` sends it when there is room."""
        if request.key is not None:
            for older in self._flying.values():
                older.is_superseded |= older.key == request.key
            for older in [o for o in self._waiting if o.key == request.key]:
                self._waiting.remove(older)
                older.fail(_superseded(older))
        if request.urgent:
            self._waiting.appendleft(request)
        else:
            self._waiting.append(request)

    def to_send(self, now_s: float) -> bytes:
        """Frames for the line now: those due again, then new ones that fit."""
        frames = []
        has_asked = False
        for request in [r for r in self._flying.values() if r.due_s <= now_s]:
            if request.is_superseded:
                self._end(request)
                request.fail(_superseded(request))
            elif request.tried >= (request.tries or self._tries):
                self._end(request)
                self._counters.timeouts += 1
                request.fail(NoReplyError(request.tried))
            elif request.last_place < self._passed or not has_asked:
                has_asked |= request.last_place >= self._passed
                self._counters.retransmissions += 1
                # The zero ends what a broken line may have left before it.
                frames.append(b"\0" + self._sent(request, now_s))
            else:
                self._wait(request, now_s)
        while self._waiting and self._fits(self._waiting[0]):
            request = self._waiting.popleft()
            request.seq = self._free_number()
            request.data = encode_frame(request.type, request.seq, request.payload)
            request.first_sent_s = now_s
            request.first_place = self._places + 1
            self._flying[request.seq] = request
            self._flying_bytes += len(request.data)
            frames.append(self._sent(request, now_s))
        return b"".join(frames)

    def receive(self, frame: Frame, now_s: float) -> Request | None:
        """Take a frame from the chip; gives the request that it answers."""
        request = self._flying.get(frame.seq)
        if request is None or not _answers(frame, request):
            return None
        self._end(request)
        # Of a repeated one nobody knows which time was answered; not before the first.
        self._passed = max(self._passed, request.first_place)
        if request.sent == 1:
            self._counters.round_trips_s.append(now_s - request.first_sent_s)
        if not request.future.done():
            request.future.set_result(frame)
        return request

    def next_timeout_s(self) -> float | None:
        """When `to_send` should be called again at the latest; None while all is quiet."""
        return min((request.due_s for request in self._flying.values()), default=None)

    def fail_all(self, error: Exception) -> None:
        """End everything: the line is gone."""
        ended = [*self._flying.values(), *self._waiting]
        self._flying.clear()
        self._waiting.clear()
        self._flying_bytes = 0
        for request in ended:
            request.fail(error)

    def _sent(self, request: Request, now_s: float) -> bytes:
        request.sent += 1
        self._places += 1
        request.last_place = self._places
        self._counters.frames_sent += 1
        self._wait(request, now_s)
        return request.data

    def _wait(self, request: Request, now_s: float) -> None:
        request.tried += 1
        request.due_s = now_s + (request.timeout_s or self._timeout_s)

    def _end(self, request: Request) -> None:
        del self._flying[request.seq]
        self._flying_bytes -= len(request.data)

    def _fits(self, request: Request) -> bool:
        if len(self._flying) >= _NUMBERS - 1:
            return False
        # Header, checksum, COBS and the closing zero are 6 bytes.
        size = len(request.payload) + 6
        limit = self.capacity if request.urgent else self.capacity - _RESERVE
        return not self._flying or self._flying_bytes + size <= limit

    def _free_number(self) -> int:
        while True:
            self._seq = (self._seq + 1) % _NUMBERS
            if self._seq not in self._flying:
                return self._seq


def _answers(frame: Frame, request: Request) -> bool:
    if frame.type == request.type + 0x80:
        return True
    is_ack = frame.type == MessageType.ACK and len(frame.payload) == Ack.LAYOUT.size
    return is_ack and frame.payload[0] == request.type


def _superseded(request: Request) -> CommandSupersededError:
    return CommandSupersededError(
        expected=f"an answer to {request.type.name}",
        found="a newer command for the same thing",
        remedy="command it from one place, or ignore this",
    )
