"""What can be wrong with a recording."""

from __future__ import annotations

from reflexarc.core import ReflexarcError


class RecordingError(ReflexarcError):
    """A recording that cannot be made, read or replayed."""
