"""What the Edge TPU compiler would make of a TFLite file, said without the compiler.

The compiler (version 16.0.384591198, the last one) is closed and only runs on
x86-64 Debian. Its rules are public: Coral's table of supported operations, and
the words of its log in the issues of google-coral/edgetpu. They are data here
(`rules`, `versions`); `partition` is the one cut that it makes.
"""

from reflexarc.export.edgetpu.check import OpReport, Report, check
from reflexarc.export.edgetpu.graph import EdgeTpuError

__all__ = ["EdgeTpuError", "OpReport", "Report", "check"]
