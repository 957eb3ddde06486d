"""The parts of a multipart stream, one after another (RFC 2046, 5.1), as cameras send them.

Cameras leave out the length, or the line break before the boundary, or give the boundary
with its two dashes already there: what counts is that it is there.
"""

from __future__ import annotations

from email.parser import BytesHeaderParser
from typing import Protocol

_LINE = 1 << 16


class Lines(Protocol):
    """What is read: a response, a file."""

    def readline(self, limit: int = -1, /) -> bytes:
        """Up to the end of a line; empty at the end of all."""

    def read(self, amount: int = -1, /) -> bytes:
        """So many bytes, fewer at the end."""


class TooLargeError(Exception):
    """A part that is larger than any picture."""

    def __init__(self, most: int) -> None:
        super().__init__(f"a part of more than {most >> 20} MB")


class Parts:
    """Reads the parts of a stream.

    Args:
        stream: begins before the first boundary.
        boundary: as the header has it.
        most: bytes that a part may have.

    Raises:
        EOFError: no boundary is named.
    """

    def __init__(self, stream: Lines, boundary: object, most: int) -> None:
        self._stream = stream
        name = str(boundary or "").strip('"').lstrip("-")
        if not name:
            raise EOFError("its header does not name a boundary")
        self._mark = b"--" + name.encode("latin-1", "replace")
        self._most = most
        self._length: int | None = None
        self._is_found = False

    def find(self) -> None:
        """Go to the beginning of the next part's body, past what is in between.

        Raises:
            EOFError: there is no more.
            TooLargeError: no boundary in sight.
        """
        passed = 0
        while not self._is_found:
            line = self._line()
            self._is_found = self._mark in line
            passed += len(line)
            if passed > self._most:
                raise TooLargeError(self._most)
        self._is_found = False
        header = b""
        while (line := self._line()).strip():
            header += line
            if len(header) > _LINE:
                raise TooLargeError(self._most)
        length = BytesHeaderParser().parsebytes(header).get("Content-Length", "").strip()
        self._length = int(length) if length.isdecimal() else None

    def read(self) -> bytes:
        """The body of this part. A length that is wrong loses this part, not the next."""
        if self._length is not None:
            if self._length > self._most:
                raise TooLargeError(self._most)
            data = self._stream.read(self._length)
            if len(data) < self._length:
                raise EOFError("it ended in the middle of a picture")
            return data
        pieces: list[bytes] = []
        size = 0
        while self._mark not in (line := self._line()):
            pieces.append(line)
            size += len(line)
            if size > self._most:
                raise TooLargeError(self._most)
        self._is_found = True
        pieces.append(line[: line.index(self._mark)].rstrip(b"-"))
        return b"".join(pieces).removesuffix(b"\n").removesuffix(b"\r")

    def _line(self) -> bytes:
        line = self._stream.readline(_LINE)
        if not line:
            raise EOFError("it ended")
        return line
