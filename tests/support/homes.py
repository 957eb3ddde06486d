"""A user of their own for each test: no rules, logs or running robots of anybody else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this test's state and sockets. Short: a socket's path has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rx-") as folder:
        monkeypatch.setenv("XDG_STATE_HOME", folder)
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)
