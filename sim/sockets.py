"""Unix sockets at paths of any length: the kernel itself allows 107 bytes."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 100


def listen(path: Path, backlog: int = 8) -> socket.socket:
    """A listening socket at `path`, for this user only; what was left there is replaced.

    Raises:
        OSError: it cannot be made there.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        with _address(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def connect(path: Path, timeout_s: float | None = None) -> socket.socket:
    """A socket connected to whoever listens at `path`.

    Raises:
        OSError: nobody does.
    """
    caller = socket.socket(socket.AF_UNIX)
    caller.settimeout(timeout_s)
    try:
        with _address(path) as address:
            caller.connect(address)
    except OSError:
        caller.close()
        raise
    return caller


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) < _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
