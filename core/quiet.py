"""Keep libraries' chatter off the screen, but not what they say before they fail."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what is written to stdout and stderr, C++ libraries' words too.

    Works on the descriptors 1 and 2, so it holds back the whole process: use it
    around an import or a conversion, not around work that others go on beside.
    An exception lets everything through, to stderr, before it goes on.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as held:
        sys.stdout.flush()
        sys.stderr.flush()
        saved = [os.dup(1), os.dup(2)]
        failed = True
        try:
            os.dup2(held.fileno(), 1)
            os.dup2(held.fileno(), 2)
            with contextlib.redirect_stdout(held):
                yield
            failed = False
        finally:
            for target, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, target)
                os.close(copy)
            if failed:
                held.flush()
                held.seek(0)
                sys.stderr.write(held.read())
