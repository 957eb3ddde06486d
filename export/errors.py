"""What can go wrong in an export."""

from __future__ import annotations

from reflexarc.core import ReflexarcError


class ExportError(ReflexarcError):
    """A source model, or the data beside it, that cannot be exported."""
