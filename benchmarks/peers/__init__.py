"""Other libraries that do the same work, in an environment of their own.

MediaPipe brings a second OpenCV, which may not lie beside ours: the peers live in
build/peers (made once, about 900 MB) and are asked over a pipe, in turns with our own code.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

PACKAGES = ("mediapipe==1.2.2", "supervision==0.31.2")
_HOME = Path("build/peers")
_WORKER = Path(__file__).with_name("worker.py")


def python() -> Path:
    """The peers' interpreter, installed if it is not there yet."""
    ready = _HOME / ".ready"
    interpreter = _HOME / "bin" / "python"
    if not ready.exists() or ready.read_text() != " ".join(PACKAGES):
        venv.create(_HOME, with_pip=True, clear=True)
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
        ready.write_text(" ".join(PACKAGES))
    return interpreter


class Peers:
    """The worker process. One request, one answer: lines of JSON."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(python()), str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, what: str, **arguments: Any) -> Any:
        """Call a function of the worker.

        Raises:
            RuntimeError: it failed there, with its words.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the worker has ended"}
        if "error" in answer:
            raise RuntimeError(f"{what}: {answer['error']}")
        return answer["result"]

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
