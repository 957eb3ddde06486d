"""What every layer shares: errors that help, and files that are never half-written.

Imports nothing of reflexarc, and anything may import it.
"""

from reflexarc.core.errors import ReflexarcError
from reflexarc.core.files import atomic_write, cache_dir

__all__ = ["ReflexarcError", "atomic_write", "cache_dir"]
