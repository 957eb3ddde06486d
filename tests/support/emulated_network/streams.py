"""Measured streams between two emulated hosts."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from emulated_network.hosts import Host, Program

_PEER = str(Path(__file__).with_name("peer.py"))
_PATIENCE_S = 30.0
_domains = itertools.count()


class Heard(NamedTuple):
    """A message that arrived; monotonic seconds."""

    number: int
    sent: float
    heard: float

    @property
    def age_ms(self) -> float:
        """How old it was then."""
        return (self.heard - self.sent) * 1e3


def ros(**more: str) -> dict[str, str]:
    """The environment of ROS programs in a domain of their own.

    Args:
        more: variables besides; by default nodes find each other by multicast.
    """
    domain = (os.getpid() * 17 + next(_domains) * 5) % 101 + 1
    return {
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "AMENT_PREFIX_PATH": sys.prefix,
        **more,
    }


class Stream:
    """A sender at one host, a hearer at the other.

    Args:
        from_host, to_host: where they run.
        environment: of both; one of them may be given its own by `hearer`.
        words: options of `peer`'s send and hear.
    """

    def __init__(
        self,
        from_host: Host,
        to_host: Host,
        environment: Mapping[str, str],
        *words: str,
        hearer: Mapping[str, str] | None = None,
        quality: str = "best effort",
    ) -> None:
        words_of_both = ["--quality", quality]
        self._hearer = to_host.start(
            [sys.executable, _PEER, "hear", *words_of_both], {**environment, **(hearer or {})}
        )
        self._sender = from_host.start(
            [sys.executable, _PEER, "send", *words_of_both, *words], environment
        )

    @property
    def sent(self) -> int:
        """Messages so far."""
        return len(_lines(self._sender))

    @property
    def heard(self) -> list[Heard]:
        """What has arrived so far, in this order."""
        return [
            Heard(int(number), float(sent), float(heard))
            for number, sent, heard in (line.split() for line in _lines(self._hearer))
        ]

    def wait_for_message(self, timeout_s: float = _PATIENCE_S) -> bool:
        """Until the first one has arrived; False: none did."""
        deadline = time.monotonic() + timeout_s
        while not self.heard and time.monotonic() < deadline:
            time.sleep(0.02)
        return bool(self.heard)

    def wait_for_end(self, timeout_s: float = 2 * _PATIENCE_S) -> list[Heard]:
        """Until the sender has ended."""
        self._sender.wait(timeout_s)
        return self.heard


def _lines(program: Program) -> list[str]:
    """Whole lines only."""
    text = program.text
    return text.splitlines()[: text.count("\n")]
