"""The file of a recording while it grows, and what becomes of it when the disk is full."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from pathlib import Path

from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import DataEnd, Footer
from mcap.writer import MCAP0_MAGIC

from reflexarc.core import WriteError
from reflexarc.perception.recording.errors import RecordingError

PART = ".part.mcap"
"""Ending of a recording that is being written, or whose program was killed."""


class GrowingFile:
    """``NAME.part.mcap`` until it is finished, ``NAME.mcap`` then.

    Not buffered: what was written survives the program. Every write of mcap's writer is
    one or several whole records, so after each the file can be ended.
    """

    def __init__(self, path: Path) -> None:
        """Create it.

        Raises:
            RecordingError: an unfinished recording of that name is there.
            WriteError: it cannot be written.
        """
        self.path = path
        self.part = path.with_name(path.stem + PART)
        try:
            if path.is_dir():
                raise IsADirectoryError(0, "a folder of that name")
            path.parent.mkdir(parents=True, exist_ok=True)
            # Never over what a killed recording has left: it may be all there is.
            self._file = self.part.open("xb", buffering=0)
        except FileExistsError as error:
            if not self.part.exists():
                raise _cannot_write(path, "a file where its folder should be") from error
            raise RecordingError(
                expected=f"no unfinished recording {self.part}",
                found="one: another program is writing it, or was killed",
                remedy=f"`reflexarc replay {self.part}` reads it; rename or remove it",
            ) from error
        except OSError as error:
            raise _cannot_write(path, error.strerror or str(error)) from error
        self._ends: deque[int] = deque(maxlen=16)

    def write(self, data: bytes) -> int:
        """Write all of it."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        # What comes after the end of data is the summary, which a file can do without.
        if data[:1] != bytes([Opcode.DATA_END]):
            self._ends.append(self._file.tell())
        return len(data)

    def tell(self) -> int:
        """Where the next write goes."""
        return self._file.tell()

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            WriteError: the folder does not let us.
        """
        self._file.close()
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise _cannot_write(self.path, error.strerror or str(error)) from error

    def discard(self) -> None:
        """Leave nothing."""
        self._file.close()
        self.part.unlink(missing_ok=True)

    def end_early(self) -> Path:
        """Cut off what is not whole, write the shortest end; says what the file is called.

        An MCAP file needs no index: a footer of zeros says that there is none.
        """
        builder = RecordBuilder()
        DataEnd(0).write(builder)
        Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(builder)
        end = builder.end() + MCAP0_MAGIC  # type: ignore[no-untyped-call]
        with contextlib.suppress(OSError, WriteError):
            # The end needs some room itself: what was written last may have to go for it.
            while self._ends:
                os.ftruncate(self._file.fileno(), self._file.seek(self._ends.pop()))
                with contextlib.suppress(OSError):
                    if self._file.write(end) == len(end):
                        self.finish()
                        return self.path
        with contextlib.suppress(OSError):
            self._file.close()
        return self.part


def _cannot_write(path: Path, found: str) -> WriteError:
    return WriteError(
        expected=f"to write {path}",
        found=found,
        remedy="check the folder's name and rights, or write to another folder",
    )
