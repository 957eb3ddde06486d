"""Files that are either whole or not there, and where cached ones live."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from reflexarc.core.errors import ReflexarcError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class WriteError(ReflexarcError):
    """A file that cannot be written where it should go."""


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it into place on success.

    Any exception (Ctrl-C too) removes the temporary file and leaves an older
    `path` as it was. Missing parent folders are created. The temporary name has
    the same ending, which some writers insist on.

    Raises:
        WriteError: the folder cannot be written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _write_error(path, error) from error
    temporary = Path(name)
    # mkstemp makes private files; give what a plain open() would have given.
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise _write_error(path, error) from error
        raise


def _write_error(path: Path, error: OSError) -> WriteError:
    no_room = error.errno in _NO_ROOM
    return WriteError(
        expected=f"room for {path}" if no_room else f"to write {path}",
        found=error.strerror or str(error),
        remedy="free some space, or write to another folder; nothing was left behind"
        if no_room
        else "check the folder's name and rights, or write to another folder",
    )


def cache_dir(*parts: str) -> Path:
    """The user's cache folder of reflexarc (XDG on Linux), created if missing."""
    path = Path(platformdirs.user_cache_dir("reflexarc")).joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
