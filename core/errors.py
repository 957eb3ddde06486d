"""One kind of error for everything a user can mend."""

from __future__ import annotations


class ReflexarcError(Exception):
    """Something that the user can put right.

    The command line prints it as one line and exits with 2; the traceback is
    shown only with ``--debug``. A bug is any *other* exception.

    Args:
        expected: what should have been there, as a noun phrase
            ("a TFLite model with a card").
        found: what was there instead ("a 12-byte file that starts with b'PK'").
        remedy: what to do next, as an order ("export it with `reflexarc export`").
    """

    def __init__(self, *, expected: str, found: str, remedy: str) -> None:
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(f"expected {expected}; found {found}; {remedy}")

    def as_dict(self) -> dict[str, str]:
        """The same three parts for ``--json``."""
        return {
            "error": type(self).__name__,
            "expected": self.expected,
            "found": self.found,
            "remedy": self.remedy,
        }
