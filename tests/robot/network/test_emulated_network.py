"""The network that the other tests here stand on is as late and as bad as it says."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from emulated_network import Host, network

# Sends its words to the other one, which sends them back; prints the round trips' times.
_ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7))
while True:
    s.sendto(*s.recvfrom(2048))
"""
_ASK = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
trips = []
for number in range(int(sys.argv[2]) + 1):
    began = time.monotonic()
    s.sendto(b"%d" % number, (sys.argv[1], 7))
    try:
        while s.recv(2048) != b"%d" % number:
            pass
    except TimeoutError:
        continue
    if number:  # the first one has to find the other's hardware address
        trips.append(time.monotonic() - began)
print(*trips)
"""


def trips(asker: Host, answerer: Host, count: int) -> list[float]:
    """Round trips that came back, s."""
    answerer.start([sys.executable, "-c", _ECHO])
    time.sleep(0.3)
    asking = asker.start([sys.executable, "-c", _ASK, answerer.address, str(count)])
    return [float(word) for word in asking.wait(60).split()]


def test_nothing_is_faster_than_the_delay_of_both_ways() -> None:
    with network("a", "b", delay_ms=20, loss=0.0) as (_, (a, b)):
        measured = trips(a, b, 20)
    assert len(measured) == 20
    assert min(measured) >= 0.04


def test_as_many_frames_are_lost_as_asked_for() -> None:
    with network("a", "b", delay_ms=0, loss=0.2, seed=3) as (segment, (a, b)):
        trips(a, b, 30)
        carried, lost = segment.counts
    assert 0.05 < lost / (carried + lost) < 0.4


def test_a_cut_host_hears_nothing_until_it_is_restored() -> None:
    with network("a", "b", delay_ms=0, loss=0.0) as (segment, (a, b)):
        segment.cut(b)
        assert not trips(a, b, 2)
        segment.restore(b)
        assert trips(a, b, 2)


def test_a_stalled_host_gets_everything_at_once_afterwards() -> None:
    with network("a", "b", delay_ms=0, loss=0.0) as (segment, (a, b)):
        segment.stall(b)
        carried, _ = segment.counts
        assert not trips(a, b, 2)
        assert segment.counts[0] == carried
        segment.flow(b)
        assert segment.counts[0] > carried


def test_hosts_share_neither_memory_nor_names_nor_clocks() -> None:
    look = "import os, socket, time; print(socket.gethostname(), *os.listdir('/dev/shm'), "
    look += "int(time.monotonic()))"
    with network("a", "b", monotonic_s=100_000) as (_, hosts):
        said = []
        for host in hosts:
            said.append(host.start([sys.executable, "-c", look]).wait(20).split())
    (name_a, clock_a), (name_b, clock_b) = said
    assert (name_a, name_b) == ("a", "b")
    assert 99_000 < int(clock_b) - int(clock_a) < 101_000


def test_nothing_is_left_of_a_host_after_its_end(tmp_path: Path) -> None:
    mark = f"mark-{os.getpid()}"
    with network("a") as (_, (a,)):
        a.start([sys.executable, "-c", f"import time; time.sleep(600)  # {mark}"])
        time.sleep(0.3)
        assert _processes_with(mark)
    assert not _processes_with(mark)


def _processes_with(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes().decode(errors="replace"):
                found.append(path.parent.name)
        except OSError:  # it has just ended
            continue
    return found
