"""What each event is: which task or sensor tells of it, and how.

Most events are levels: they begin when something comes to be true, and are over when it
no longer is. A pulse, such as a finished sit-up, is over at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.perception.observation import Detection, Observation
from reflexarc.robot.reflexes.rule import Reflex

NEAR = 2.0
"""An obstacle is what is nearer than the gate's own distance times this."""
LOW_V = 0.4
"""The battery is low so far above the gate's own limit: there is time to say so."""


@dataclass(frozen=True, slots=True)
class Feeling:
    """What the body tells: the board's state, as far as events need it.

    Attributes:
        stamp_ns: when.
        range_m: to what is ahead; None for nothing near, or no sensor.
        bump: something is touched.
        battery_v: volts.
        near_m, low_v: from where on that is an obstacle, or low.
    """

    stamp_ns: int
    range_m: float | None
    bump: bool
    battery_v: float
    near_m: float = 0.30
    low_v: float = 6.8


@dataclass(frozen=True)
class Seen:
    """An event that a task tells of.

    Attributes:
        task: its name.
        label: of the detections that count; "" for the rule's value, None for any.
        absent: it is true while there is none, and only after there was one.
        counter: a pulse each time this count goes up, instead.
    """

    task: str
    label: str | None = None
    absent: bool = False
    counter: str = ""

    def is_true(self, rule: Reflex, observation: Observation) -> bool:
        """Whether the level is there in this observation."""
        found = sum(self._counts(rule, detection) for detection in observation.detections)
        return found == 0 if self.absent else found >= rule.min_count

    def _counts(self, rule: Reflex, found: Detection) -> bool:
        label = str(rule.value) if self.label == "" else self.label
        return (
            (label is None or found.label == label)
            and found.score >= rule.min_score
            and (not rule.zone or f"{ZONE_VALUE}{rule.zone}" in found.values)
        )


@dataclass(frozen=True)
class Felt:
    """An event that the body tells of."""

    is_true: Callable[[Feeling], bool]


ZONE_VALUE = "dwell_s_"
"""With a zone's name behind it, the value of a detection that is inside that zone."""

EVENTS: dict[str, Seen | Felt] = {
    "mask_missing": Seen("mask", "no_mask"),
    "mask_present": Seen("mask", "mask"),
    "person_seen": Seen("people"),
    "person_gone": Seen("people", absent=True),
    "digit_seen": Seen("digits", ""),
    "sit_up": Seen("situps", counter="sit_ups"),
    "obstacle": Felt(lambda f: f.bump or (f.range_m is not None and f.range_m < f.near_m)),
    "battery_low": Felt(lambda f: f.battery_v < f.low_v),
}


def task_of(event: str) -> str | None:
    """The task that an event needs; None for what the body tells."""
    source = EVENTS[event]
    return source.task if isinstance(source, Seen) else None
