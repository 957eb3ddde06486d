from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def in_small_files() -> Callable[[int, str], subprocess.CompletedProcess[str]]:
    """Run a program whose files cannot grow beyond a size: to it the disk is full."""

    def run(most_bytes: int, program: str) -> subprocess.CompletedProcess[str]:
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes},) * 2)\n"
        path = [str(Path(__file__).parents[2] / "support")]
        code = limit + f"import sys; sys.path[:0] = {json.dumps(path)}\n" + textwrap.dedent(program)
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
        )

    return run
