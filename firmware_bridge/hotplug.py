"""Waiting for a port that went away: the kernel's word where it comes, else a short nap."""

from __future__ import annotations

import time
from typing import Any

# A pty, a container or another system gives no events: then this is the pace.
POLL_S = 0.1


class Hotplug:
    """Tells early that a serial device came or went (Linux, through udev)."""

    def __init__(self) -> None:
        self._monitor: Any = None
        try:
            import pyudev

            monitor = pyudev.Monitor.from_netlink(pyudev.Context())
            monitor.filter_by("tty")
            monitor.start()
        except (ImportError, OSError):
            return
        self._monitor = monitor

    def wait(self, timeout_s: float = POLL_S) -> None:
        """Until something happened, or the time is over."""
        if self._monitor is None:
            time.sleep(timeout_s)
        else:
            self._monitor.poll(timeout_s)
