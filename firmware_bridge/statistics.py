"""What a link has been through, for diagnostics."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from reflexarc.firmware_bridge.protocol.frame import DecoderStatistics

_ROUND_TRIPS = 1000


@dataclass
class Counters:
    """Counted by all links of one board, one after the other."""

    decoder: DecoderStatistics = field(default_factory=DecoderStatistics)
    bytes_received: int = 0
    frames_sent: int = 0
    retransmissions: int = 0
    timeouts: int = 0
    states_missed: int = 0
    reconnects: int = 0
    round_trips_s: deque[float] = field(default_factory=lambda: deque(maxlen=_ROUND_TRIPS))


@dataclass(frozen=True)
class LinkStatistics:
    """Counts since the board was connected."""

    frames_received: int
    frames_sent: int
    retransmissions: int
    """Requests sent again because no answer came in time."""
    timeouts: int
    """Requests that were never answered."""
    crc_errors: int
    """Frames from the chip that failed their checksum."""
    framing_errors: int
    """Frames from the chip that were not even frames."""
    states_missed: int
    """Gaps in the state stream's numbering."""
    reconnects: int
    """Times that the connection was made again."""
    round_trip_p50_ms: float | None
    """Of the last 1,000 requests answered at their first try; None before any."""
    round_trip_p99_ms: float | None

    @classmethod
    def of(cls, counters: Counters) -> LinkStatistics:
        """A snapshot."""
        trips = sorted(counters.round_trips_s)
        return cls(
            frames_received=counters.decoder.frames,
            frames_sent=counters.frames_sent,
            retransmissions=counters.retransmissions,
            timeouts=counters.timeouts,
            crc_errors=counters.decoder.crc_errors,
            framing_errors=counters.decoder.framing_errors,
            states_missed=counters.states_missed,
            reconnects=counters.reconnects,
            round_trip_p50_ms=_rank_ms(trips, 0.5),
            round_trip_p99_ms=_rank_ms(trips, 0.99),
        )


def _rank_ms(trips_s: list[float], share: float) -> float | None:
    return trips_s[min(int(len(trips_s) * share), len(trips_s) - 1)] * 1e3 if trips_s else None
