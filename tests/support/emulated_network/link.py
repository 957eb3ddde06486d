"""A network segment in user space: carries frames between hosts late, and loses some.

A TAP device in each host's network namespace; what one of them sends reaches all others
(so multicast passes too), each copy after a delay and with a chance to be lost. The kernel's
own `tc netem` is often missing in containers and virtual machines; this needs root and
/dev/net/tun only.

Run as a program, it takes command lines on stdin, answers each with one line of JSON, and
ends with its stdin:

    cut NAME, restore NAME       nothing to or from that host; what was on its way is lost
    stall NAME, flow NAME        nothing either, but it waits and then comes all at once
    delay MS, loss FRACTION      of what is sent from now on
    counts                       frames carried and lost so far
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TAP = "lan0"
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_FRAME_BYTES = 65536
_LONGEST_WAIT_S = 1.0
_MOST_AT_ONCE = 64


@dataclass(eq=False)
class Port:
    """A host's side of the segment."""

    name: str
    tap: int
    connected: bool = True
    stalled: bool = False


class _Frame(NamedTuple):
    due: float
    order: int
    source: Port
    target: Port
    data: bytes


class Segment:
    """All ports, and the frames under way.

    Args:
        ports: of the hosts.
        delay_s: one way.
        loss: the chance of each copy of a frame to be lost, 0..1.
        seed: of the losses.
    """

    def __init__(self, ports: list[Port], delay_s: float, loss: float, seed: int) -> None:
        self._ports = ports
        self._delay_s = delay_s
        self._loss = loss
        self._random = random.Random(seed)
        self._under_way: list[_Frame] = []
        self._held: list[_Frame] = []
        self._order = itertools.count()
        self._carried = self._lost = 0

    def run(self, commands: int) -> None:
        """Until the commands end."""
        taps = {port.tap: port for port in self._ports}
        text = b""
        while True:
            wait_s = _LONGEST_WAIT_S
            if self._under_way:
                wait_s = min(wait_s, max(0.0, self._under_way[0].due - time.monotonic()))
            for ready in select.select([commands, *taps], [], [], wait_s)[0]:
                if ready != commands:
                    self._take(taps[ready])
                    continue
                piece = os.read(commands, 4096)
                if not piece:
                    return
                *lines, text = (text + piece).split(b"\n")
                for line in lines:
                    print(json.dumps(self._obey(*line.decode().split())), flush=True)
            self._deliver()

    def _take(self, source: Port) -> None:
        due = time.monotonic() + self._delay_s
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MOST_AT_ONCE):
                data = os.read(source.tap, _FRAME_BYTES)
                for target in self._ports:
                    if target is source:
                        continue
                    if self._random.random() < self._loss:
                        self._lost += 1
                        continue
                    frame = _Frame(due, next(self._order), source, target, data)
                    heapq.heappush(self._under_way, frame)

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._under_way and self._under_way[0].due <= now:
            self._pass_on(heapq.heappop(self._under_way))

    def _pass_on(self, frame: _Frame) -> None:
        ends = (frame.source, frame.target)
        if not all(end.connected for end in ends):
            self._lost += 1
        elif any(end.stalled for end in ends):
            self._held.append(frame)
        else:
            try:
                os.write(frame.target.tap, frame.data)
                self._carried += 1
            except OSError:  # its queue is full, or its host is gone
                self._lost += 1

    def _obey(self, command: str = "", value: str = "") -> dict[str, object]:
        port = next((port for port in self._ports if port.name == value), None)
        match command:
            case "cut" | "restore" if port is not None:
                port.connected = command == "restore"
            case "stall" | "flow" if port is not None:
                port.stalled = command == "stall"
                held, self._held = self._held, []
                for frame in held:
                    self._pass_on(frame)
            case "delay":
                self._delay_s = float(value) / 1000
            case "loss":
                self._loss = float(value)
            case "counts":
                pass
            case _:
                return {"error": f"cannot {command} {value}".rstrip()}
        return {"at": time.monotonic(), "carried": self._carried, "lost": self._lost}


def _open_tap(namespace: str) -> int:
    """A TAP device in that network namespace (a path below /proc); this process moves there."""
    with Path(namespace).open("rb") as there:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", TAP.encode(), _IFF_TAP | _IFF_NO_PI))
    return tap


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("host", nargs="+", metavar="NAME=PID", help="a process of each host")
    options = parser.parse_args()
    ports = []
    for host in options.host:
        name, pid = host.split("=")
        ports.append(Port(name, _open_tap(f"/proc/{pid}/ns/net")))
    print(json.dumps({"ready": [port.name for port in ports]}), flush=True)
    Segment(ports, options.delay_ms / 1000, options.loss, options.seed).run(0)


if __name__ == "__main__":
    main()
