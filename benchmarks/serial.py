"""serial link to the real firmware on the emulated chip

python -m benchmarks.serial [--soak-s 600] [--json out/bench/serial.json]
"""

from __future__ import annotations

import argparse
import collections
import itertools
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.row import Row, save, table
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import build_firmware
from reflexarc.firmware_bridge.commands import drive
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.window import Request

BAUDS = (115_200, 500_000, 1_000_000)
MAIN_BAUD = 500_000
ROUND_TRIPS = 3000
COMMANDS = 20_000
SOAK_S = 600.0
# Asked for and not answered yet; how many of them are on the line is the window's affair.
IN_HAND = 64


def round_trip(baud: int) -> list[Row]:
    """Of `read_state`, from the call to its result."""
    trips = []
    firmware = build_firmware(baudrate=baud)
    with EmulatedBoard(firmware) as chip, Board.connect(chip.port, baudrate=baud) as board:
        board.wait_state()
        for _ in range(ROUND_TRIPS):
            start = time.perf_counter()
            board.read_state()
            trips.append((time.perf_counter() - start) * 1e3)
    p50, p99 = np.percentile(trips, (50, 99))
    limits = ("0.8", "2") if baud == MAIN_BAUD else ("", "")
    return [
        Row(f"state round trip p50, {baud:,} baud", float(p50), "ms", limits[0]),
        Row(f"state round trip p99, {baud:,} baud", float(p99), "ms", limits[1]),
    ]


def throughput() -> list[Row]:
    """Set points a second, each acknowledged, as many on their way as the window allows."""
    orders = [drive(speed, -speed) for speed in (1000, 1001)]
    with EmulatedBoard() as chip, Board.connect(chip.port) as board:
        board.wait_state()
        link = board._engine.link
        flying: collections.deque[Request] = collections.deque()
        start, first = time.perf_counter(), chip.status().cycle
        for order in itertools.islice(itertools.cycle(orders), COMMANDS):
            if len(flying) == IN_HAND:
                flying.popleft().future.result()
            # Without a key: each one counts, none replaces another.
            flying.append(link.submit(Request(order.type, order.payload)))
        for request in flying:
            request.future.result()
        seconds = time.perf_counter() - start
        status, repeated = chip.status(), board.statistics().retransmissions
        emulated = (status.cycle - first) / 16e6
        states = board.read_state()
    return [
        Row("windowed commands a second", COMMANDS / seconds, "/s", "at least 4000"),
        Row("the same in the chip's time", COMMANDS / emulated, "/s"),
        Row("of them repeated", repeated, "of 20,000"),
        Row("bytes overrun in the chip", status.overruns, "", "0"),
        Row("longest control period meanwhile", states.longest_period_us / 1e3, "ms"),
    ]


def soak(seconds: float) -> list[Row]:
    """A drive command and a state every 10 ms; a miss is a period without a new state."""
    misses = periods = 0
    with (
        EmulatedBoard() as chip,
        Board.connect(chip.port) as board,
        Progress(transient=True) as progress,
    ):
        bar = progress.add_task(f"100 Hz for {seconds:.0f} s", total=seconds)
        state = board.wait_state()
        began, cpu = time.perf_counter(), time.process_time()
        emulator_cpu = chip.status().cpu_s
        missed_before = board.statistics().states_missed
        try:
            while (elapsed := time.perf_counter() - began) < seconds:
                board.drive(1000 + periods % 2, -1000)
                state = board.wait_state(after=state)
                periods += 1
                if periods % 100 == 0:
                    progress.update(bar, completed=elapsed)
        except KeyboardInterrupt:
            pass  # What was measured counts.
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
        statistics = board.statistics()
        misses = statistics.states_missed - missed_before
        status = chip.status()
    return [
        Row("100 Hz loop, length", elapsed, "s", f"{seconds:.0f}"),
        Row("states taken", periods, ""),
        Row("states missed", misses, "", "0"),
        Row("commands repeated", statistics.retransmissions, ""),
        Row("host CPU, share of one core", cpu / elapsed * 100, "%", "5"),
        Row("emulator CPU, share", (status.cpu_s - emulator_cpu) / elapsed * 100, "%"),
        *[
            Row(f"longest wait of interrupt {name}", cycles / 16, "us")
            for name, cycles in status.worst_latency.items()
        ],
    ]


def size() -> list[Row]:
    """Of the firmware on the chip."""
    image = build_firmware()
    return [
        Row("firmware, flash", image.flash_bytes, "bytes", "12288"),
        Row("firmware, static RAM", image.ram_bytes, "bytes", "1024"),
    ]


def measure(soak_s: float = SOAK_S) -> list[Row]:
    rows = [row for baud in BAUDS for row in round_trip(baud)]
    return [*rows, *throughput(), *soak(soak_s), *size()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the serial link.")
    parser.add_argument("--soak-s", type=float, default=SOAK_S, help="length of the 100 Hz loop")
    parser.add_argument("--json", type=Path, default=Path("out/bench/serial.json"))
    arguments = parser.parse_args()
    measured = measure(arguments.soak_s)
    Console().print(table("serial", __doc__.splitlines()[0], measured))
    save(arguments.json, measured)
