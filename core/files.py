"""Files that are either whole or not there, and where cached ones live."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it into place on success.

    Any exception (Ctrl-C too) removes the temporary file and leaves an older
    `path` as it was. Missing parent folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    # mkstemp makes private files; give what a plain open() would have given.
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def cache_dir(*parts: str) -> Path:
    """The user's cache folder of reflexarc (XDG on Linux), created if missing."""
    path = Path(platformdirs.user_cache_dir("reflexarc")).joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
