"""serial link to the real firmware on the emulated chip, 500 kbaud"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.row import Row
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, Emulator

_COMMANDS = 1000


def measure() -> list[Row]:
    with Emulator() as emulator, Board.connect(emulator.port) as board:
        emulator.trace()
        trips = []
        in_chip = []
        for i in range(_COMMANDS):
            start = time.perf_counter()
            board.drive(500 + i % 2, 500)
            trips.append((time.perf_counter() - start) * 1e3)
            if i % 50 == 0:
                frames = emulator.trace().frames
                in_chip += [(f.end_cycle - f.first_cycle) / CPU_HZ * 1e3 for f in frames]
        statistics = board.statistics()
        status = emulator.status()
    p50, p99 = np.percentile(trips, (50, 99))
    return [
        Row("drive, round trip p50", float(p50), "ms"),
        Row("drive, round trip p99", float(p99), "ms"),
        Row("of it, the command on the wire (emulated)", float(np.median(in_chip)), "ms"),
        Row("retransmissions in 1,000", statistics.retransmissions, ""),
        Row("emulator, share of one core", status.cpu_s / status.seconds, ""),
    ]
