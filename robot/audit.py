"""The audit log: what was asked, what was let through and why, in a chain of hashes.

One JSON object a line. Each ends with the SHA-256 of what it says, and carries that of the
line before it, so that no line can be changed, taken out or put in without breaking the
chain. (Lines cut off at the very end leave an unbroken, shorter one.) Files are rotated;
the chain goes on from one to the next. A board is commanded a hundred times a second:
commands of the same kind and for the same reason in a row become two lines, the first one
and a sum of the others, with their number, last and extremes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import platformdirs

from reflexarc.core import ReflexarcError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.gate import Decision

FIRST = "0" * 64
"""What the first line of a log names as the hash before it."""
MAX_BYTES = 4_000_000
KEPT_FILES = 8
_LONGEST_RUN_NS = 1_000_000_000


class AuditError(ReflexarcError):
    """A log that cannot be written or read, or whose chain is broken."""


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes:
        number: from 0, over all files.
        time: of day, ISO 8601, UTC.
        kind: "drive", "servos", "stop", "arm", "plan", "reflex", ...
        data: what the kind says.
        file, line: where it stands.
    """

    number: int
    time: str
    kind: str
    data: dict[str, Any]
    file: Path
    line: int


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
        self._run: _Run | None = None
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
                for entry, digest in _read([file]):
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
            self._write(decision.what, _plain_decision(decision))
            if decision.what in ("drive", "servos"):
                self._run = _Run(decision)

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
        line, digest = _line(self._number, stamp, kind, data, self._hash)
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


def files_of(path: Path) -> list[Path]:
    """The files of a log, oldest first."""
    older = sorted(
        path.parent.glob(f"{path.name}.*"),
        key=lambda file: int(file.suffix[1:]) if file.suffix[1:].isdecimal() else 0,
        reverse=True,
    )
    numbered = [file for file in older if file.suffix[1:].isdecimal()]
    return numbered + ([path] if path.exists() else [])


def read(path: Path) -> Iterator[Entry]:
    """The lines of a log, oldest first; its chain is checked on the way.

    Raises:
        AuditError: no such log, or a line that does not follow from the one before it.
            All that are before it have been given.
    """
    files = files_of(path)
    if not files:
        raise AuditError(
            expected="an audit log",
            found=f"no file {path}",
            remedy="`reflexarc run` writes one; robot.yaml says where (audit.path)",
        )
    for entry, _ in _read(files):
        yield entry


def _read(files: list[Path]) -> Iterator[tuple[Entry, str]]:
    """Entries and their hashes. The first line of rotated logs is taken on trust."""
    number, before = None, None
    for file in files:
        with file.open("rb") as lines:
            for at, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    raise _broken(file, at, "half a line")
                entry, previous, digest = _entry(file, at, line)
                if before is None and entry.number == 0 and previous != FIRST:
                    raise _broken(file, at, "a first entry that follows another")
                if before is not None and previous != before:
                    raise _broken(file, at, "an entry that does not follow from the one before")
                if number is not None and entry.number != number + 1:
                    raise _broken(file, at, f"entry {entry.number} after {number}")
                number, before = entry.number, digest
                yield entry, digest


def _entry(file: Path, at: int, line: bytes) -> tuple[Entry, str, str]:
    """An entry, the hash that it names before it, and its own."""
    said, digest = line[:-_TAIL], hashlib.sha256(line[:-_TAIL]).hexdigest()
    if line != said + _tail(digest):
        raise _broken(file, at, "an entry that was changed")
    try:
        fields = json.loads(line)
        number, time, kind = (fields.pop(name) for name in ("n", "time", "kind"))
        previous, _ = fields.pop("before"), fields.pop("hash")
        if not (isinstance(number, int) and isinstance(time, str) and isinstance(kind, str)):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(file, at, f"no entry ({type(error).__name__})") from error
    return Entry(number, time, kind, fields, file, at), previous, digest


def _broken(file: Path, line: int, found: str) -> AuditError:
    return AuditError(
        expected="an unbroken chain of entries",
        found=f"{found} in {file}, line {line}",
        remedy="the log was changed, or its writer was cut off there; move it away and keep it",
    )


def _line(
    number: int, stamp: str, kind: str, data: dict[str, Any], before: str
) -> tuple[bytes, str]:
    """A line, and its hash."""
    entry = {"n": number, "time": stamp, "kind": kind, **data, "before": before}
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    # Lone halves of surrogate pairs, which UTF-8 has not, are what JSON escapes them to.
    said = text.encode(errors="backslashreplace")[:-1]
    digest = hashlib.sha256(said).hexdigest()
    return said + _tail(digest), digest


def _tail(digest: str) -> bytes:
    return f',"hash":"{digest}"}}\n'.encode()


_TAIL = len(_tail(FIRST))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


class _Run:
    """Decisions in a row that differ in their numbers only; the first is written already."""

    def __init__(self, first: Decision) -> None:
        self.first = self.last = first
        self.count = 0
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}

    def takes(self, decision: Decision) -> bool:
        same = decision.what == self.first.what and decision.reason == self.first.reason
        if not same or decision.stamp_ns - self.first.stamp_ns > _LONGEST_RUN_NS:
            return False
        self.last = decision
        self.count += 1
        self._stretch(decision)
        return True

    def _stretch(self, decision: Decision) -> None:
        for name, value in _numbers(decision.applied).items():
            self._low[name] = min(value, self._low.get(name, value))
            self._high[name] = max(value, self._high.get(name, value))

    def data(self) -> dict[str, Any]:
        more = {"count": self.count, "lowest": self._low, "highest": self._high}
        return _plain_decision(self.last) | more


def _plain_decision(decision: Decision) -> dict[str, Any]:
    data: dict[str, Any] = {"stamp_ns": decision.stamp_ns}
    if decision.asked is not None:
        data |= {"asked": _plain(decision.asked), "applied": _plain(decision.applied)}
    if decision.reason:
        data["reason"] = decision.reason
    return data


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, float):
        # JSON has no word for what is not a number.
        return round(value, 4) if abs(value) < float("inf") else str(value)
    return value


def _numbers(value: object) -> dict[str, float]:
    plain = _plain(value)
    return (
        {k: v for k, v in plain.items() if isinstance(v, float)} if isinstance(plain, dict) else {}
    )


def path_of(config: RobotConfig) -> Path:
    """Where the log of a robot is kept: as its robot.yaml says, or in the user's folder."""
    if config.audit.path:
        return Path(config.audit.path).expanduser()
    name = "".join(char if char.isalnum() else "-" for char in config.name)[:60]
    return Path(platformdirs.user_state_dir("reflexarc")) / f"audit-{name}.jsonl"
