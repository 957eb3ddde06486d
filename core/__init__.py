"""What every layer shares: errors that help, files that are never half-written, quiet.

Imports nothing of reflexarc, and anything may import it.
"""

from reflexarc.core.errors import ReflexarcError
from reflexarc.core.files import WriteError, atomic_write, cache_dir
from reflexarc.core.quiet import quiet

__all__ = ["ReflexarcError", "WriteError", "atomic_write", "cache_dir", "quiet"]
