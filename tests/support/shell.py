"""The command as a shell would see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Done(NamedTuple):
    """Exit code, and what was written."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
