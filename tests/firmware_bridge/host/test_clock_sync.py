"""The clock estimate against clocks whose truth is known."""

from __future__ import annotations

import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from reflexarc.firmware_bridge import Board, commands
from reflexarc.firmware_bridge.clock_sync import ClockSync, Exchange, unwrap_us
from reflexarc.firmware_bridge.emulator import EmulatedBoard

# The chip counts whole microseconds, at both ends of an exchange.
QUANTUM_NS = 2_000


class Clocks:
    """A chip whose clock is off and runs at another speed."""

    def __init__(self, offset_ns: int, drift_ppm: float, seed: int) -> None:
        self.offset_ns = offset_ns
        self.drift = drift_ppm * 1e-6
        self.noise = random.Random(seed)

    def chip_us(self, host_ns: int) -> int:
        return int((host_ns - self.offset_ns) / (1 + self.drift) / 1000)

    def host_ns(self, chip_us: float) -> float:
        return chip_us * 1000 * (1 + self.drift) + self.offset_ns

    def exchange(self, at_ns: int) -> Exchange:
        """Delays of 0.1 to 0.5 ms each way, now and then much longer in one direction."""
        there = int(self.noise.uniform(1e5, 5e5) * self.noise.choice([1, 1, 1, 20]))
        back = int(self.noise.uniform(1e5, 5e5) * self.noise.choice([1, 1, 1, 20]))
        received = at_ns + there
        answered = received + 40_000
        return Exchange(at_ns, self.chip_us(received), self.chip_us(answered), answered + back)


@given(
    offset_ns=st.integers(-(10**18), 10**18),
    drift_ppm=st.floats(-5000, 5000),
    count=st.integers(1, 200),
    seed=st.integers(0, 10_000),
)
def test_the_bound_holds(offset_ns: int, drift_ppm: float, count: int, seed: int) -> None:
    clocks, sync = Clocks(offset_ns, drift_ppm, seed), ClockSync()
    start = offset_ns + 10**9
    for i in range(count):
        sync.add(clocks.exchange(start + i * 500_000_000))
    estimate = sync.estimate()
    assert estimate is not None
    # Now, and until the next exchange.
    for ahead_us in (0, 500_000):
        chip_us = estimate.chip_us + ahead_us
        truth = clocks.host_ns(chip_us)
        assert abs(estimate.to_host_ns(chip_us) - truth) <= estimate.error_ns + QUANTUM_NS


@given(drift_ppm=st.floats(-5000, 5000), seed=st.integers(0, 10_000))
def test_a_minute_tells_the_drift(drift_ppm: float, seed: int) -> None:
    clocks, sync = Clocks(10**15, drift_ppm, seed), ClockSync()
    for i in range(120):
        sync.add(clocks.exchange(10**15 + 10**9 + i * 500_000_000))
    estimate = sync.estimate()
    assert estimate is not None
    assert abs(estimate.drift_ppm - drift_ppm) < 10
    assert estimate.error_ns < 2_000_000


def test_nothing_is_known_before_the_first_exchange() -> None:
    assert ClockSync().estimate() is None


@given(st.integers(0, 2**50), st.integers(-(2**31), 2**31 - 1))
def test_unwrap(near_us: int, step: int) -> None:
    assert unwrap_us((near_us + step) % 2**32, near_us) == near_us + step


def chip_start_us(emulator: EmulatedBoard, board: Board) -> float:
    """When the chip's clock began, on the emulator's: from when a frame was in the chip
    and when the chip says so, which it does at once or, busy with control, later."""
    differences = []
    for _ in range(20):
        emulator.trace()
        reply = board._engine.run(commands.get_clock())
        differences.append(emulator.trace().frames[-1].end_cycle / 16 - reply.received_us)
    return max(differences)


def test_the_chip_s_clock(emulator: EmulatedBoard, board: Board) -> None:
    start_us = chip_start_us(emulator, board)
    truth = []
    for _ in range(60):
        status = emulator.wait(0.05)
        truth.append((status.cycle / 16 - start_us, status.wall_ns))
    estimate = board.clock
    assert estimate is not None
    # A busy machine halts the emulator now and then, a clock that no line follows.
    slope, offset = statistics.linear_regression(*zip(*truth, strict=True))
    rough_ns = max(abs(slope * chip_us + offset - wall_ns) for chip_us, wall_ns in truth)
    for chip_us, wall_ns in truth[-10:]:
        error_ns = abs(estimate.to_host_ns(round(chip_us)) - wall_ns)
        assert error_ns < estimate.error_ns + rough_ns
