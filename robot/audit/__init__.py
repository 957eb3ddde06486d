"""The audit log: what was asked, what was let through and why, in a chain of hashes.

One JSON object a line. Each ends with the SHA-256 of what it says, and carries that of the
line before it, so that no line can be changed, taken out or put in without breaking the
chain. (Lines cut off at the very end leave an unbroken, shorter one.) Files are rotated;
the chain goes on from one to the next. A board is commanded a hundred times a second:
commands of the same kind and for the same reason in a row become two lines, the first one
and a sum of the others, with their number, last and extremes.
"""

from reflexarc.robot.audit.chain import AuditError, Entry, files_of, read
from reflexarc.robot.audit.log import AuditLog, path_of

__all__ = ["AuditError", "AuditLog", "Entry", "files_of", "path_of", "read"]
