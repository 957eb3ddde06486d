"""The chip's clock in the host's time: offset and drift by regression. No I/O.

Each exchange gives four times (as NTP's, RFC 5905): sent and arrived by the host, received
and answered by the chip. The chip's middle lies within half a round trip of the host's
middle, so exchanges with short round trips are the good ones; a line through those
(ordinary least squares) gives offset and drift.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_KEEP = 64
# Exchanges this much longer than the shortest do not take part, unless they are among
# the shortest quarter: one lucky exchange must not shut out all others.
_SLOWER = 1.5
_SLOWER_NS = 200_000
_QUARTER = 0.25
# A drift is worth believing over this span; until then only the offset counts.
_MIN_SPAN_NS = 500_000_000
# Before the drift is known: a ceramic resonator (an Arduino Uno's) may be 0.5 % off, and
# its drift may change this much with its temperature afterwards.
_UNKNOWN_DRIFT = 5e-3
_WANDER = 2e-5
# How long an estimate must do.
_HOLDS_NS = 500_000_000
_WRAP_US = 1 << 32


class Exchange(NamedTuple):
    """One question for the time; chip times are unwrapped microseconds."""

    sent_ns: int
    chip_received_us: int
    chip_sent_us: int
    arrived_ns: int

    @property
    def round_trip_ns(self) -> int:
        """Time on the line and in the host, without the chip's own."""
        return self.arrived_ns - self.sent_ns - (self.chip_sent_us - self.chip_received_us) * 1000


@dataclass(frozen=True)
class ClockEstimate:
    """Host time of a chip time: chip_us * 1000 * (1 + drift) + offset."""

    offset_ns: int
    """Host's `time.monotonic_ns` less the chip's time, at `chip_us`."""
    drift_ppm: float
    """How much the host's clock gains on the chip's."""
    error_ns: int
    """No estimate is further off than this, from the first exchange to half a second
    after the newest."""
    samples: int
    chip_us: int
    """Where the line is anchored: the newest exchange."""

    def to_host_ns(self, chip_us: int) -> int:
        """Host time of a chip time."""
        since = (chip_us - self.chip_us) * 1000
        return chip_us * 1000 + self.offset_ns + round(since * self.drift_ppm * 1e-6)


class ClockSync:
    """Collects exchanges and draws the line."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=_KEEP)

    def add(self, exchange: Exchange) -> None:
        """Take an exchange."""
        self._exchanges.append(exchange)

    def estimate(self) -> ClockEstimate | None:
        """The line through the good exchanges; None before the first."""
        if not self._exchanges:
            return None
        trips = [e.round_trip_ns for e in self._exchanges]
        shortest, quarter = min(trips), float(np.quantile(trips, _QUARTER))
        longest = max(shortest * _SLOWER, shortest + _SLOWER_NS, quarter)
        good = [e for e in self._exchanges if e.round_trip_ns <= longest]
        newest = self._exchanges[-1]
        anchor = (newest.chip_received_us + newest.chip_sent_us) // 2
        # Floats only of differences: nanoseconds since the start do not fit them.
        host_ns = np.array([(e.sent_ns + e.arrived_ns) // 2 - newest.arrived_ns for e in good])
        chip_ns = np.array(
            [(e.chip_received_us + e.chip_sent_us) * 500 - anchor * 1000 for e in good]
        )
        ahead = (host_ns - chip_ns).astype(float)
        chip = chip_ns.astype(float)
        drift = 0.0
        spread = chip - chip.mean()
        span = float(np.ptp(chip))
        if span >= _MIN_SPAN_NS:
            drift = float((spread * ahead).sum() / (spread * spread).sum())
        offset = float(ahead.mean() - drift * chip.mean())
        # At a good exchange the truth is within half its round trip, so the line is off
        # there by at most that and its distance from the exchange. Being straight, it is
        # off by no more in between, and beyond the last by what both ends allow.
        residual = np.abs(ahead - (offset + drift * chip))
        first, last = (residual + [e.round_trip_ns / 2 for e in good])[[0, -1]]
        reach = _HOLDS_NS - chip[-1]
        if span >= _MIN_SPAN_NS:
            beyond = last + (first + last) * reach / span + _WANDER * (span + reach)
        else:
            beyond = max(first, last) + _UNKNOWN_DRIFT * (span + reach)
        error = max(first, beyond)
        return ClockEstimate(
            offset_ns=newest.arrived_ns + round(offset) - anchor * 1000,
            drift_ppm=drift * 1e6,
            error_ns=math.ceil(error),
            samples=len(good),
            chip_us=anchor,
        )


def unwrap_us(raw_us: int, near_us: int) -> int:
    """The full chip time whose low 32 bits are `raw_us`, at or after `near_us` - 2^31."""
    return near_us + ((raw_us - near_us + _WRAP_US // 2) % _WRAP_US) - _WRAP_US // 2
