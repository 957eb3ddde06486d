"""Decisions as lines: those that differ in their numbers only become one."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import Any

from reflexarc.robot.gate import Decision

_LONGEST_NS = 1_000_000_000


class Run:
    """Decisions in a row that differ in their numbers only; the first is written already."""

    def __init__(self, first: Decision) -> None:
        """Begin after the first."""
        self.first = self.last = first
        self.count = 0
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}

    def takes(self, decision: Decision) -> bool:
        """Add a decision, if it belongs to this run."""
        same = decision.what == self.first.what and decision.reason == self.first.reason
        if not same or decision.stamp_ns - self.first.stamp_ns > _LONGEST_NS:
            return False
        self.last = decision
        self.count += 1
        self._stretch(decision)
        return True

    def _stretch(self, decision: Decision) -> None:
        for name, value in _numbers(decision.applied).items():
            self._low[name] = min(value, self._low.get(name, value))
            self._high[name] = max(value, self._high.get(name, value))

    def data(self) -> dict[str, Any]:
        """The last of them, with their number and extremes."""
        more = {"count": self.count, "lowest": self._low, "highest": self._high}
        return plain_decision(self.last) | more


def plain_decision(decision: Decision) -> dict[str, Any]:
    """One decision as plain data."""
    data: dict[str, Any] = {"stamp_ns": decision.stamp_ns}
    if decision.asked is not None:
        data |= {"asked": _plain(decision.asked), "applied": _plain(decision.applied)}
    if decision.reason:
        data["reason"] = decision.reason
    return data


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, float):
        # JSON has no word for what is not a number.
        return round(value, 4) if abs(value) < float("inf") else str(value)
    return value


def _numbers(value: object) -> dict[str, float]:
    plain = _plain(value)
    return (
        {k: v for k, v in plain.items() if isinstance(v, float)} if isinstance(plain, dict) else {}
    )
