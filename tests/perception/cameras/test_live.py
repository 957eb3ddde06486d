"""Live cameras: the newest frame first, what breaks is opened again, closing is prompt."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sim_clock import SimClock

from reflexarc.perception.cameras import (
    CameraError,
    CorruptFrame,
    Device,
    LiveCamera,
    Shot,
    open_camera,
)
from reflexarc.perception.cameras.clock import as_monotonic
from reflexarc.perception.cameras.synthetic import read_counter

Act = Callable[[], Shot | None]


def picture(value: int = 0, height: int = 4, width: int = 6) -> Any:
    return np.full((height, width, 3), value, np.uint8)


def give(value: int = 0, stamp_ns: int | None = None) -> Act:
    return lambda: Shot(picture(value), stamp_ns)


def fail(found: str = "unplugged") -> Act:
    def act() -> Shot:
        raise CameraError(expected="a frame", found=found, remedy="plug it in")

    return act


def corrupt() -> Shot:
    raise CorruptFrame(expected="a frame", found="noise", remedy="")


class Script:
    """What a device does, reading by reading, over all its openings."""

    def __init__(self, *acts: Act, opening: tuple[Exception | None, ...] = ()) -> None:
        self.acts = list(acts)
        self.opening = list(opening)
        self.opened = self.closed = 0
        self.threads: set[int] = set()
        self.asked = threading.Semaphore(0)

    def device(self, seq: int) -> Device:
        error = self.opening.pop(0) if self.opening else None
        if error is not None:
            raise error
        return Scripted(self)


class Scripted(Device):
    def __init__(self, script: Script) -> None:
        self.script = script
        self.woken = threading.Event()
        script.opened += 1
        script.threads.add(threading.get_ident())

    def read(self) -> Shot | None:
        self.script.threads.add(threading.get_ident())
        self.script.asked.release()
        return self.script.acts.pop(0)() if self.script.acts else None

    def close(self) -> None:
        self.script.threads.add(threading.get_ident())
        self.script.closed += 1


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def live(clock: SimClock) -> Iterator[Callable[..., LiveCamera]]:
    opened: list[LiveCamera] = []

    def make(script: Script, **options: Any) -> LiveCamera:
        opened.append(LiveCamera(script.device, "scripted:", clock=clock, **options))
        return opened[-1]

    yield make
    for camera in opened:
        camera.close()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it never came to that")


# --- the newest frame ---


def test_the_newest_frame_waits_and_older_ones_are_dropped_and_counted(live) -> None:
    camera = live(Script(*(give(n) for n in range(5))), queue=2)
    until(lambda: camera.statistics().health == "ended")

    frames = list(camera)

    assert [(frame.seq, int(frame.image[0, 0, 0])) for frame in frames] == [(3, 3), (4, 4)]
    statistics = camera.statistics()
    assert (statistics.captured, statistics.given, statistics.dropped) == (5, 2, 3)
    assert statistics.size == (6, 4)


def test_by_default_one_frame_waits(live) -> None:
    camera = live(Script(*(give(n) for n in range(5))))
    until(lambda: camera.statistics().health == "ended")
    assert [frame.seq for frame in camera] == [4]


def test_a_source_that_can_wait_loses_nothing() -> None:
    with open_camera("synthetic:?pace=fast&frames=50&size=64x64") as camera:
        frames = []
        for frame in camera:
            frames.append(frame)
            if frame.seq == 10:
                time.sleep(0.05)  # whatever its user does meanwhile
        assert not camera.live
    assert [frame.seq for frame in frames] == list(range(50))
    assert camera.statistics().dropped == 0


def test_stamps_are_the_drivers_and_never_go_back(live) -> None:
    script = Script(give(0, 500), give(1, 400), give(2, 700))
    camera = live(script, queue=3)
    assert [frame.stamp_ns for frame in camera] == [500, 501, 700]


def test_the_rate_is_measured_by_the_stamps(live) -> None:
    camera = live(Script(*(give(n, n * 40_000_000) for n in range(40))), queue=40)
    assert len(list(camera)) == 40
    assert camera.statistics().fps == pytest.approx(25)


def test_a_frame_is_not_copied_on_its_way(live) -> None:
    image = picture(7)
    camera = live(Script(lambda: Shot(image)))
    (frame,) = camera
    assert np.shares_memory(frame.image, image)
    assert frame.image.flags.c_contiguous


def test_a_device_is_opened_read_and_closed_in_one_thread_of_its_own(live) -> None:
    script = Script(give(), give())
    camera = live(script)
    list(camera)
    camera.close()
    assert len(script.threads) == 1
    assert threading.get_ident() not in script.threads


# --- frames that are none ---


@pytest.mark.parametrize("late_ns", [0, 30_000_000, 9_000_000_000])
def test_drivers_stamps_are_understood_on_either_clock_of_the_kernel(late_ns: int) -> None:
    now_ns = time.monotonic_ns()
    since_boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert as_monotonic(now_ns - late_ns, now_ns) == now_ns - late_ns
    at_ns = as_monotonic(since_boot_ns - late_ns, now_ns + 1_000_000)
    assert abs(at_ns - (now_ns - late_ns)) <= 1_000_000


@pytest.mark.parametrize("stamp_ns", [0, 5, 1_700_000_000_000_000_000])
def test_a_stamp_of_a_clock_of_its_own_becomes_now(stamp_ns: int) -> None:
    assert as_monotonic(stamp_ns, 1_000_000_000_000) == 1_000_000_000_000


@pytest.mark.parametrize(
    "bad",
    [
        corrupt,
        lambda: Shot(np.zeros((0, 0, 3), np.uint8)),
        lambda: Shot(np.zeros((4, 6), np.uint8)),
        lambda: Shot(np.zeros((4, 6, 4), np.uint8)),
        lambda: Shot(np.zeros((4, 6, 3), np.float32)),
        lambda: Shot(None),
    ],
    ids=["corrupt", "zero size", "gray", "four channels", "float", "nothing"],
)
def test_a_bad_frame_is_left_out_and_counted(live, bad: Act) -> None:
    camera = live(Script(give(1), bad, give(2)), queue=3)
    assert [frame.seq for frame in camera] == [0, 2]  # the gap is the bad one
    statistics = camera.statistics()
    assert (statistics.bad, statistics.captured, statistics.failures) == (1, 2, 0)


def test_a_stream_of_bad_frames_only_is_opened_again(live) -> None:
    script = Script(give(1), *[corrupt] * 100, give(2))
    camera = live(script, queue=2)
    assert [int(frame.image[0, 0, 0]) for frame in camera] == [1, 2]
    (outage,) = camera.statistics().outages
    assert "100 bad ones in a row" in outage.what
    assert script.opened == 2


def test_frames_may_change_their_size(live) -> None:
    acts = [lambda: Shot(picture(height=4)), lambda: Shot(picture(height=9, width=2))]
    camera = live(Script(*acts), queue=2)
    assert [frame.image.shape for frame in camera] == [(4, 6, 3), (9, 2, 3)]
    assert camera.statistics().size == (2, 9)


# --- the first opening ---


def test_a_camera_that_does_not_open_says_so_at_once(live, clock: SimClock) -> None:
    script = Script(opening=(CameraError(expected="it", found="gone", remedy="buy one"),))
    with pytest.raises(CameraError, match="gone"):
        live(script)
    assert clock.slept == []


def test_a_bug_in_a_camera_is_not_hidden_when_it_is_opened(live) -> None:
    with pytest.raises(ZeroDivisionError):
        live(Script(opening=(ZeroDivisionError(),)))


def test_it_can_wait_for_a_camera_to_appear(live, clock: SimClock) -> None:
    gone = CameraError(expected="it", found="gone", remedy="buy one")
    camera = live(Script(give(5), opening=(gone, gone, gone)), wait=30.0)
    (frame,) = camera
    assert frame.image[0, 0, 0] == 5
    assert len(clock.slept) == 3
    assert camera.statistics().failures == 0


def test_it_does_not_wait_for_ever(live, clock: SimClock) -> None:
    gone = CameraError(expected="it", found="gone", remedy="buy one")
    with pytest.raises(CameraError, match="gone"):
        live(Script(opening=(gone,) * 1000), wait=3.0)
    assert 3.0 <= sum(clock.slept) < 4.0


# --- what breaks in mid-stream ---


def test_a_camera_that_breaks_is_opened_again_and_the_outage_is_listed(live, clock) -> None:
    gone = CameraError(expected="it", found="not back yet", remedy="")
    script = Script(give(1), fail("unplugged"), give(2), opening=(None, gone, gone, gone))
    camera = live(script, queue=2)

    assert [frame.seq for frame in camera] == [0, 1]

    statistics = camera.statistics()
    (outage,) = statistics.outages
    assert (statistics.failures, statistics.recoveries) == (1, 1)
    assert (outage.what, outage.attempts) == ("unplugged", 4)
    assert outage.lasted_s == pytest.approx(sum(clock.slept))
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]  # and so on up to ten seconds
    assert script.opened == script.closed == 2


def test_pauses_grow_to_ten_seconds_and_no_further(live, clock: SimClock) -> None:
    gone = CameraError(expected="it", found="gone", remedy="")
    live_camera = live(Script(give(1), fail(), give(2), opening=(None, *[gone] * 12)), queue=2)
    assert len(list(live_camera)) == 2
    assert max(clock.slept) == 10.0
    assert clock.slept == sorted(clock.slept)


def test_any_exception_of_a_driver_is_an_outage_and_no_crash(live) -> None:
    def act() -> Shot:
        raise OSError(19, "No such device")

    camera = live(Script(give(1), act, give(2)), queue=2)
    assert len(list(camera)) == 2
    assert "No such device" in camera.statistics().outages[0].what


def test_health_tells_an_outage_while_it_lasts(live, clock: SimClock) -> None:
    back = threading.Event()

    def opening(seq: int) -> Device:
        if seq and not back.is_set():
            raise CameraError(expected="it", found="gone", remedy="")
        return Scripted(script)

    script = Script(give(1), fail())
    camera = LiveCamera(opening, "scripted:", clock=clock)
    try:
        until(lambda: camera.statistics().health == "reopening")
        assert camera.statistics().outages[-1].lasted_s is None
        script.acts = [give(2)]
        back.set()
        until(lambda: camera.statistics().recoveries == 1)
    finally:
        camera.close()
    assert camera.statistics().health == "closed"


def test_it_can_give_up(live) -> None:
    gone = CameraError(expected="it", found="gone for good", remedy="")
    camera = live(Script(give(1), fail(), opening=(None, *[gone] * 100)), give_up=20.0)
    with pytest.raises(CameraError, match="gone for good"):
        list(camera)
    assert camera.statistics().health == "failed"


# --- hanging ---


@pytest.fixture
def hang() -> Iterator[Callable[[], Shot]]:
    """A reading that returns only when the test is over."""
    over = threading.Event()

    def act() -> Shot:
        over.wait()
        return Shot(picture(99))

    yield act
    over.set()


def test_a_stream_that_stalls_is_opened_again_beside_the_one_that_hangs(live, clock, hang) -> None:
    script = Script(give(1), hang, give(2))
    camera = live(script, stall=5.0)
    frames = iter(camera)
    assert next(frames).seq == 0
    for _ in range(2):
        assert script.asked.acquire(timeout=5)
    assert camera.statistics().health == "ok"
    clock.advance(4.0)
    assert camera.statistics().health == "ok"
    clock.advance(1.5)
    assert next(frames).image[0, 0, 0] == 2
    (outage,) = camera.statistics().outages
    assert outage.what == "it gave no frame for 5 s"


def test_a_frame_of_a_reader_that_was_given_up_is_not_heard(live, clock) -> None:
    over, late = threading.Event(), threading.Event()

    def slow() -> Shot:
        over.wait(10)
        late.set()
        return Shot(picture(99))

    script = Script(give(1), slow, give(2), give(3))
    camera = live(script, queue=5)
    for _ in range(2):
        assert script.asked.acquire(timeout=5)
    clock.advance(6.0)
    until(lambda: camera.statistics().recoveries == 1)
    over.set()
    assert late.wait(5)
    until(lambda: script.closed == 2)
    assert [int(frame.image[0, 0, 0]) for frame in camera] == [1, 2, 3]


def test_a_device_that_always_hangs_does_not_gather_threads(live, clock, hang) -> None:
    camera = live(Script(give(1), *[hang] * 100))
    next(iter(camera))
    for _ in range(200):
        clock.advance(6.0)
        assert camera.statistics().health in ("ok", "stalled")
        time.sleep(0.001)
    readers = [t for t in threading.enumerate() if t.name == "camera scripted:"]
    assert len(readers) <= 4


def test_a_device_that_hangs_while_it_opens_is_an_error(clock: SimClock) -> None:
    over = threading.Event()

    def opening(seq: int) -> Device:
        threading.Timer(0.05, clock.advance, [25.0]).start()
        over.wait(10)
        raise AssertionError

    with pytest.raises(CameraError, match="no answer in 20 s"):
        LiveCamera(opening, "scripted:", clock=clock)
    over.set()


# --- closing ---


def test_close_ends_an_iteration_that_waits_in_another_thread(live, hang) -> None:
    camera = live(Script(give(1), hang))
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.extend(frame.seq for frame in camera))
    thread.start()
    until(lambda: seen == [0])
    camera.close()
    thread.join(5)
    assert not thread.is_alive()
    camera.close()


def test_close_ends_the_pause_before_a_new_opening() -> None:
    gone = CameraError(expected="it", found="gone", remedy="")
    script = Script(give(1), fail(), opening=(None, *[gone] * 1000))
    camera = LiveCamera(script.device, "scripted:")  # real time
    until(lambda: camera.statistics().health == "reopening")
    camera.close()
    until(lambda: not any(t.name == "camera scripted:" for t in threading.enumerate()))
    assert list(camera) == []


def test_closing_in_the_middle_of_an_iteration_ends_it(live) -> None:
    camera = live(Script(*(give(n) for n in range(100))), queue=100)
    until(lambda: camera.statistics().health == "ended")
    for count, _ in enumerate(camera):
        if count == 3:
            camera.close()
    assert count == 3


# --- the soak ---


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def test_10000_frames_of_a_camera_that_fails_50_times(clock: SimClock) -> None:
    """Half of the failures are errors and half are hangs; 100 frames are corrupt besides."""
    source = "synthetic:?size=64x64&frames=10000&fail=50&corrupt=100&seed=7"
    with open_camera(source, clock=clock) as camera:
        frames = iter(camera)
        memory = 0.0
        last = None
        for frame in frames:
            last = frame
            assert read_counter(frame.image) == frame.seq
            if frame.seq > 2000 and not memory:
                memory = resident_mb()
        statistics = camera.statistics()

    assert last is not None and last.seq >= 9998
    assert statistics.health == "ended"
    assert (statistics.failures, statistics.recoveries) == (50, 50)
    assert len(statistics.outages) == 50
    assert all(outage.lasted_s is not None for outage in statistics.outages)
    assert {outage.what for outage in statistics.outages} == {
        "unplugged, as asked for",
        "it gave no frame for 5 s",
    }
    assert statistics.bad == 100
    assert statistics.captured == 9900
    assert statistics.given + statistics.dropped == 9900
    assert resident_mb() - memory < 20
    assert not [t for t in threading.enumerate() if t.name.startswith("camera synthetic")]


def test_the_same_seed_breaks_at_the_same_frames(clock: SimClock) -> None:
    def breaks(seed: int) -> list[str]:
        source = f"synthetic:?size=64x64&frames=300&fail=1000&seed={seed}&pace=fast"
        with open_camera(source, clock=clock) as camera:
            seen = [frame.seq for frame in islice(camera, 300)]
            assert seen == list(range(300))
            return [outage.what for outage in camera.statistics().outages]

    assert breaks(1) == breaks(1) != breaks(2)
