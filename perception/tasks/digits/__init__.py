"""Finding and reading handwritten digits."""

from reflexarc.perception.tasks.digits.task import Digits, open_digits, required_score

__all__ = ["Digits", "open_digits", "required_score"]
