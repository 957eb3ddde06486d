"""The chain: how a line of the log is written, and read again with its hashes checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError

FIRST = "0" * 64
"""What the first line of a log names as the hash before it."""


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
    for entry, _ in read_files(files):
        yield entry


def read_files(files: Iterable[Path]) -> Iterator[tuple[Entry, str]]:
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


def write_line(
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
