"""Several tasks on one stream of frames: rates, drops, failures, the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from reflexarc.core import ReflexarcError
from reflexarc.perception import Frame, Observation
from reflexarc.perception.pipeline import Pipeline, Slot
from reflexarc.perception.tasks import open_task

MS = 1_000_000


def frame(seq: int, stamp_ns: int = 0) -> Frame:
    return Frame(np.zeros((48, 64, 3), np.uint8), stamp_ns, seq, "test")


class Clock:
    """Time that passes only when a task says so."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Slow:
    """A task that takes `ms` of the clock's time, and waits for its gate when closed."""

    def __init__(self, clock: Clock, ms: float) -> None:
        self.clock, self.ms = clock, ms
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.seen: list[int] = []

    def process(self, frame: Frame) -> Observation:
        self.entered.release()
        self.gate.wait()
        self.clock.now_ns += round(self.ms * MS)
        self.seen.append(frame.seq)
        return Observation(frame.stamp_ns, frame.seq, frame.source, "slow")


@pytest.fixture
def heard() -> list[tuple[int, str]]:
    return []


@pytest.fixture
def make(heard: list[tuple[int, str]]) -> Iterator[Callable[..., Pipeline]]:
    made: list[Pipeline] = []

    def pipeline(*slots: Slot, clock: Clock | None = None) -> Pipeline:
        def hear(frame: Frame, observation: Observation) -> None:
            heard.append((frame.seq, observation.task))

        made.append(Pipeline(slots, hear, clock_ns=clock or Clock()))
        return made[-1]

    yield pipeline
    for one in made:
        one.close()


def test_a_file_is_seen_whole(make: Callable[..., Pipeline], heard: list[tuple[int, str]]) -> None:
    pipeline = make(Slot("slow", Slow(Clock(), 5)))
    for seq in range(20):
        pipeline.put(frame(seq))
        pipeline.wait()
    assert heard == [(seq, "slow") for seq in range(20)]
    assert pipeline.statistics()["slow"].dropped == 0


def test_a_task_that_lags_gets_the_newest_frame_and_the_others_go_on(
    make: Callable[..., Pipeline],
) -> None:
    clock = Clock()
    slow, fast = Slow(clock, 50), Slow(clock, 1)
    slow.gate.clear()
    pipeline = make(Slot("slow", slow), Slot("fast", fast), clock=clock)
    pipeline.put(frame(0))
    slow.entered.acquire()
    for seq in range(1, 10):
        while fast.seen != list(range(seq)):
            threading.Event().wait(0.001)
        pipeline.put(frame(seq))
    slow.gate.set()
    pipeline.wait()
    assert slow.seen == [0, 9]
    assert fast.seen == list(range(10))
    counts = pipeline.statistics()
    assert (counts["slow"].seen, counts["slow"].dropped) == (2, 8)
    assert counts["slow"].look_ms is not None
    assert counts["slow"].look_ms[0] >= 50


def test_every_nth_frame(make: Callable[..., Pipeline]) -> None:
    third = Slow(Clock(), 0)
    pipeline = make(Slot("third", third, every_n=3))
    for seq in range(10):
        pipeline.put(frame(seq))
        pipeline.wait()
    assert third.seen == [0, 3, 6, 9]
    # Not meant for it is not dropped.
    assert pipeline.statistics()["third"].dropped == 0


def test_a_task_over_its_budget_takes_its_share_of_time_and_no_more(
    make: Callable[..., Pipeline],
) -> None:
    clock = Clock()
    hungry = Slow(clock, 30)
    pipeline = make(Slot("hungry", hungry, max_ms=10), clock=clock)
    for seq in range(33):
        pipeline.put(frame(seq))
        pipeline.wait()
    # Three times to be sure, and then every third.
    assert hungry.seen == [0, 1, 2, *range(5, 33, 3)]
    counts = pipeline.statistics()["hungry"]
    assert counts.seen + counts.dropped == 33
    hungry.ms = 5
    for seq in range(33, 40):
        pipeline.put(frame(seq))
        pipeline.wait()
    assert hungry.seen[-4:] == [36, 37, 38, 39]


def test_a_frame_that_a_task_cannot_take_ends_nothing(
    make: Callable[..., Pipeline], heard: list[tuple[int, str]]
) -> None:
    class Picky:
        def process(self, frame: Frame) -> Observation:
            if frame.seq == 1:
                raise ReflexarcError(expected="a frame", found="another", remedy="go on")
            return Observation(frame.stamp_ns, frame.seq, frame.source, "picky")

    pipeline = make(Slot("picky", Picky()))
    for seq in range(3):
        pipeline.put(frame(seq))
        pipeline.wait()
    assert [seq for seq, _ in heard] == [0, 2]
    counts = pipeline.statistics()["picky"]
    assert (counts.seen, counts.failed) == (2, 1)
    assert counts.error == "expected a frame; found another; go on"


def test_what_a_listener_raises_comes_out() -> None:
    def complain(frame: Frame, observation: Observation) -> None:
        raise OSError("disk full")

    with Pipeline([Slot("slow", Slow(Clock(), 0))], complain) as pipeline:
        pipeline.put(frame(0))
        with pytest.raises(OSError, match="disk full"):
            pipeline.wait()
        with pytest.raises(OSError, match="disk full"):
            pipeline.put(frame(1))


def test_the_wait_of_a_frame_is_from_its_capture(make: Callable[..., Pipeline]) -> None:
    clock = Clock()
    clock.now_ns = 70 * MS
    pipeline = make(Slot("slow", Slow(clock, 5)), clock=clock)
    pipeline.put(frame(0, stamp_ns=40 * MS))
    pipeline.wait()
    counts = pipeline.statistics()["slow"]
    assert counts.wait_ms == (30, 30)
    assert counts.look_ms == (5, 5)


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    pipeline = Pipeline(
        [Slot(str(i), Slow(Clock(), 0)) for i in range(4)], lambda frame, observation: None
    )
    assert threading.active_count() == before + 4
    pipeline.close()
    pipeline.close()
    assert threading.active_count() == before


def test_real_tasks_side_by_side_say_what_they_say_alone() -> None:
    rng = np.random.default_rng(0)
    frames = [
        Frame(rng.integers(0, 256, (240, 320, 3), np.uint8), seq * 33 * MS, seq, "noise")
        for seq in range(5)
    ]
    names = ("digits", "pose")
    alone = {
        (f.seq, name): task.process(f)
        for name in names
        for task in [open_task(name)]
        for f in frames
    }
    together: dict[tuple[int, str], Observation] = {}

    def keep(frame: Frame, observation: Observation) -> None:
        together[frame.seq, observation.task] = observation

    with Pipeline([Slot(name, open_task(name)) for name in names], keep) as pipeline:
        for one in frames:
            pipeline.put(one)
            pipeline.wait()
    assert together == alone
