"""The log's file: appended to by one robot, rotated, found whole again after a power cut."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import platformdirs

from reflexarc.robot.audit.chain import FIRST, AuditError, files_of, read_files, write_line
from reflexarc.robot.audit.runs import Run, plain_decision
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.gate import Decision

MAX_BYTES = 4_000_000
KEPT_FILES = 8


class AuditLog:
    """Appends to a log. Safe to share between threads; every line is written at once."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = MAX_BYTES,
        kept_files: int = KEPT_FILES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Go on with the log at `path`, or begin one.

        Where its newest file is broken (a power cut leaves half a line), that is moved
        aside; the chain goes on from the file before it, with a line that names it.

        Raises:
            AuditError: it cannot be opened, or another program writes it.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._now = now
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._number, self._hash = 0, FIRST
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._only = path.with_name(f"{path.name}.lock").open("ab")
            self._take_alone()
            broken = self._find_end()
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            with contextlib.suppress(AttributeError):
                self._only.close()
            raise AuditError(
                expected=f"to write the audit log {path}",
                found=error.strerror or str(error),
                remedy="check the folder's rights, or name another in robot.yaml (audit.path)",
            ) from error
        for aside, why in broken:
            self.append("begin", after=aside.name, because=why.found)

    def _take_alone(self) -> None:
        try:
            fcntl.flock(self._only, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._only.close()
            raise AuditError(
                expected=f"to be the only writer of the audit log {self._path}",
                found="another robot that runs and writes it",
                remedy="give this one another name, or another log in robot.yaml (audit.path)",
            ) from error

    def _find_end(self) -> list[tuple[Path, AuditError]]:
        """Where the chain goes on; what was moved aside and why."""
        moved: list[tuple[Path, AuditError]] = []
        for file in reversed(files_of(self._path)):
            try:
                for entry, digest in read_files([file]):
                    self._number, self._hash = entry.number + 1, digest
            except AuditError as error:
                self._number, self._hash = 0, FIRST
                stamp = datetime.fromtimestamp(self._now(), timezone.utc).strftime("%Y%m%dT%H%M%S")
                name = f"{self._path.stem}-broken-{stamp}-{len(moved)}{self._path.suffix}"
                moved.append((file.replace(self._path.with_name(name)), error))
            else:
                if self._number:  # else it is empty: cut off right after a rotation
                    break
        return moved

    def decision(self, decision: Decision) -> None:
        """Take a decision of the gate."""
        with self._lock:
            if self._run is not None and self._run.takes(decision):
                return
            self._end_run()
            self._write(decision.what, plain_decision(decision))
            if decision.what in ("drive", "servos"):
                self._run = Run(decision)

    def append(self, kind: str, **data: Any) -> None:
        """Add a line of any other kind."""
        with self._lock:
            self._end_run()
            self._write(kind, data)

    def close(self) -> None:
        """Write what waits, and close. Twice is fine."""
        with self._lock, contextlib.closing(self._only), contextlib.closing(self._file):
            if not self._file.closed:
                self._end_run()

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is not None and run.count:
            self._write(run.first.what, run.data())

    def _write(self, kind: str, data: dict[str, Any]) -> None:
        stamp = datetime.fromtimestamp(self._now(), timezone.utc).isoformat(timespec="milliseconds")
        line, digest = write_line(self._number, stamp, kind, data, self._hash)
        try:
            size = os.fstat(self._file.fileno()).st_size
            if size and size + len(line) > self._max_bytes:
                self._rotate()
                size = 0
            if self._file.write(line) != len(line):
                # A full disk takes what fits: half a line would break the chain.
                os.ftruncate(self._file.fileno(), size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except (OSError, ValueError) as error:
            raise AuditError(
                expected=f"room for the audit log {self._path}",
                found=getattr(error, "strerror", None) or str(error),
                remedy="free some space; nothing moves without the log",
            ) from error
        self._number, self._hash = self._number + 1, digest

    def _rotate(self) -> None:
        self._file.close()
        for older in reversed(range(1, self._kept_files)):
            numbered = _numbered(self._path, older)
            if numbered.exists():
                if older + 1 >= self._kept_files:
                    numbered.unlink()
                else:
                    numbered.replace(_numbered(self._path, older + 1))
        self._path.replace(_numbered(self._path, 1))
        self._file = self._path.open("ab", buffering=0)


def path_of(config: RobotConfig) -> Path:
    """Where the log of a robot is kept: as its robot.yaml says, or in the user's folder."""
    if config.audit.path:
        return Path(config.audit.path).expanduser()
    name = "".join(char if char.isalnum() else "-" for char in config.name)[:60]
    return Path(platformdirs.user_state_dir("reflexarc")) / f"audit-{name}.jsonl"


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
