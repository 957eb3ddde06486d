"""Requests over a simulated line that loses, in simulated time."""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.firmware_bridge.errors import CommandSupersededError
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import Ack, MessageType
from reflexarc.firmware_bridge.window import ANSWER_TIMEOUT_S, TRIES, NoReplyError, Request, Window

DRIVE, STOP, LIGHT = MessageType.DRIVE, MessageType.STOP, MessageType.LIGHT
CAPACITY = 64


class Heard(NamedTuple):
    """What the chip took up."""

    at_s: float
    type: int
    payload: bytes


class Line:
    """A chip that acknowledges everything, at the end of a line that loses frames."""

    def __init__(self, window: Window, loss: float, seed: int) -> None:
        self.window = window
        self.loss = loss
        self.now = 0.0
        self.heard: list[Heard] = []
        self.most_in_flight = 0
        self._noise = random.Random(seed)
        self._events: list[tuple[float, int, Frame, bool]] = []
        self._decoder = FrameDecoder()
        self._count = 0
        self._in_flight: dict[int, int] = {}

    def _later(self, delay_s: float, frame: Frame, to_chip: bool) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + delay_s, self._count, frame, to_chip))

    def pump(self) -> None:
        for frame in self._decoder.feed(self.window.to_send(self.now)):
            self._in_flight[frame.seq] = len(frame.payload) + 6
            self.most_in_flight = max(self.most_in_flight, sum(self._in_flight.values()))
            if self._noise.random() >= self.loss:
                self._later(0.0004, frame, True)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        self.pump()
        while True:
            timer = self.window.next_timeout_s()
            event = self._events[0][0] if self._events else None
            times = [t for t in (timer, event) if t is not None and t <= end]
            if not times:
                break
            self.now = max(self.now, min(times))
            if event is not None and event <= self.now:
                _, _, frame, to_chip = heapq.heappop(self._events)
                if to_chip:
                    self.heard.append(Heard(self.now, frame.type, frame.payload))
                    if self._noise.random() >= self.loss:
                        ack = Ack(frame.type, 0, 0).pack()
                        self._later(0.0004, Frame(MessageType.ACK, frame.seq, ack), False)
                else:
                    self._in_flight.pop(frame.seq, None)
                    self.window.receive(frame, self.now)
            self.pump()
        self.now = end


def drive(number: int) -> Request:
    return Request(DRIVE, number.to_bytes(4, "little"), key="motion")


@given(
    loss=st.floats(0, 0.3),
    seed=st.integers(0, 10_000),
    pauses=st.lists(st.sampled_from([0.0, 0.0005, 0.01, 0.04]), min_size=1, max_size=40),
)
def test_no_old_set_point_after_a_newer_one(loss: float, seed: int, pauses: list[float]) -> None:
    window = Window(CAPACITY)
    line = Line(window, loss, seed)
    requests = []
    for number, pause in enumerate(pauses):
        requests.append(drive(number))
        window.submit(requests[-1])
        line.run(pause)
    line.run(TRIES * ANSWER_TIMEOUT_S + 0.1)
    numbers = [int.from_bytes(heard.payload, "little") for heard in line.heard]
    assert numbers == sorted(numbers)
    assert all(request.future.done() for request in requests)
    assert len(window) == 0
    last = requests[-1].future.exception()
    assert last is None or isinstance(last, NoReplyError)
    if last is None:
        assert numbers[-1] == len(pauses) - 1


@given(seed=st.integers(0, 10_000))
def test_everything_gets_through_a_line_that_loses_one_frame_in_twenty(seed: int) -> None:
    window = Window(CAPACITY)
    line = Line(window, 0.05, seed)
    requests = [Request(LIGHT, bytes([number])) for number in range(100)]
    for request in requests:
        window.submit(request)
    line.run(3.0)
    assert all(request.future.exception() is None for request in requests)
    assert {heard.payload[0] for heard in line.heard} == set(range(100))
    assert line.most_in_flight <= CAPACITY


def test_a_dead_line_ends_every_request_within_the_bound() -> None:
    window = Window(CAPACITY)
    line = Line(window, 1.0, 0)
    request = drive(1)
    window.submit(request)
    line.run(TRIES * ANSWER_TIMEOUT_S - 0.001)
    assert not request.future.done()
    line.run(0.002)
    with pytest.raises(NoReplyError) as error:
        request.future.result()
    assert error.value.args == (TRIES,)


def test_a_stop_goes_before_everything_that_waits() -> None:
    window = Window(CAPACITY)
    for number in range(50):
        window.submit(Request(LIGHT, bytes([number])))
    first = FrameDecoder().feed(window.to_send(0.0))
    assert 5 <= len(first) < 50
    window.submit(Request(STOP, key="motion", urgent=True))
    assert [frame.type for frame in FrameDecoder().feed(window.to_send(0.0))] == [STOP]


def test_a_newer_command_ends_an_older_that_waits() -> None:
    window = Window(CAPACITY)
    for number in range(20):
        window.submit(Request(LIGHT, bytes([number])))
    window.to_send(0.0)
    old, new = drive(1), drive(2)
    window.submit(old)
    window.submit(new)
    with pytest.raises(CommandSupersededError):
        old.future.result(0)
    assert not new.future.done()


def test_an_older_command_s_answer_still_counts() -> None:
    window = Window(CAPACITY)
    old, new = drive(1), drive(2)
    window.submit(old)
    window.to_send(0.0)
    window.submit(new)
    window.to_send(0.0)
    reply = Frame(DRIVE + 0x80, old.seq, b"\1\0\1\0")
    assert window.receive(reply, 0.001) is old
    assert old.future.result(0) == reply


def test_a_reply_to_something_else_is_none() -> None:
    window = Window(CAPACITY)
    request = drive(1)
    window.submit(request)
    window.to_send(0.0)
    assert window.receive(Frame(LIGHT + 0x80, request.seq, b""), 0.0) is None
    assert window.receive(Frame(MessageType.ACK, request.seq, Ack(LIGHT, 0, 0).pack()), 0.0) is None
    assert window.receive(Frame(MessageType.ACK, request.seq, b"\x10"), 0.0) is None
    assert not request.future.done()


def test_a_repeated_request_says_nothing_about_the_round_trip() -> None:
    window = Window(CAPACITY)
    request = drive(1)
    window.submit(request)
    window.to_send(0.0)
    window.to_send(ANSWER_TIMEOUT_S)
    window.receive(Frame(DRIVE + 0x80, request.seq, b""), ANSWER_TIMEOUT_S + 0.001)
    assert request.future.done()
    assert not window._counters.round_trips_s
    assert window._counters.retransmissions == 1


def sent(window: Window, now_s: float) -> list[int]:
    return [frame.payload[0] for frame in FrameDecoder().feed(window.to_send(now_s))]


def test_one_is_repeated_while_nothing_is_answered() -> None:
    window = Window(CAPACITY)
    lights = [Request(LIGHT, bytes([number])) for number in range(1, 6)]
    for light in lights:
        window.submit(light)
    assert sent(window, 0.0) == [1, 2, 3, 4, 5]
    # The line may only stand still, with all five in it.
    for count in range(1, TRIES):
        assert sent(window, count * 1.01 * ANSWER_TIMEOUT_S) == [1]
    assert sent(window, TRIES * 1.01 * ANSWER_TIMEOUT_S) == []
    assert all(isinstance(light.future.exception(0), NoReplyError) for light in lights)


def test_what_an_answer_has_passed_is_repeated_as_a_whole() -> None:
    window = Window(CAPACITY)
    lights = [Request(LIGHT, bytes([number])) for number in range(1, 6)]
    for light in lights:
        window.submit(light)
    window.to_send(0.0)
    ack = Ack(LIGHT, 0, 0).pack()
    window.receive(Frame(MessageType.ACK, lights[3].seq, ack), 0.002)
    # 1 to 3 went before what was answered, so they are lost; 5 may be on its way.
    assert sent(window, 1.01 * ANSWER_TIMEOUT_S) == [1, 2, 3, 5]
    window.receive(Frame(MessageType.ACK, lights[4].seq, ack), 0.011)
    # An answer to the first 5 or the second: nothing new about 1 to 3.
    assert sent(window, 2.02 * ANSWER_TIMEOUT_S) == [1]


def test_a_frame_is_as_long_as_the_window_thinks() -> None:
    for length in range(33):
        assert len(encode_frame(DRIVE, 1, b"\1" * length)) == length + 6
