"""What every layer shares: errors that help, files that are never half-written, plug-ins, quiet.

Imports nothing of reflexarc, and anything may import it.
"""

from reflexarc.core.errors import ReflexarcError
from reflexarc.core.files import WriteError, atomic_write, cache_dir
from reflexarc.core.plugins import PluginError, load_plugin, plugins
from reflexarc.core.quiet import quiet

__all__ = [
    "PluginError",
    "ReflexarcError",
    "WriteError",
    "atomic_write",
    "cache_dir",
    "load_plugin",
    "plugins",
    "quiet",
]
