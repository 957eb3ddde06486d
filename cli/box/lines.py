"""The lines that a robot in the box speaks, with or without ROS.

It says, each a JSON object with `mono_ns`, its monotonic time:
``{"ready": true}``, ``{"event": ...}``, ``{"observation": ...}``, ``{"reply": ...}``,
``{"state": {"connection", "gate", "gate_reason"}}`` ten times a second, ``{"picture": path}``
and ``{"failed": why}``. It is told ``{"order": text}``, ``{"arm": true}``,
``{"e_stop": reason}`` and ``{"end": true}``; the end of its stdin ends it too.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

STATE_S = 0.1
_writing = threading.Lock()


def say(kind: str, value: Any, **more: Any) -> None:
    """One line, at once, from any thread. Where nobody listens any more, nothing."""
    line = {kind: value, "mono_ns": time.monotonic_ns(), **more}
    with _writing:
        try:
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            return


def told() -> Iterator[dict[str, Any]]:
    """What it is told, until the end."""
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError:
            continue
        if isinstance(request, dict):
            if request.get("end"):
                return
            yield request
