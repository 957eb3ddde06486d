"""The digits task: which handwritten digits are in the frame, and where."""

from reflexarc.perception.tasks.digits.task import Digits, open_digits, required_score

__all__ = ["Digits", "open_digits", "required_score"]
