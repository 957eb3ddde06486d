"""Sit-ups: poses in, whole repetitions out.

Two counters behind one `SitUpCounter`: `GeometricCounter` (angles and hysteresis)
and `PhaseCounter` (a small net's phases). Both see the same resampled body and
count with the same `Cycle`, so they differ only in how they tell the phase.
"""

from reflexarc.perception.tasks.situps.cycle import PHASES, Count, SitUpCounter
from reflexarc.perception.tasks.situps.geometry import GeometricCounter
from reflexarc.perception.tasks.situps.phases import PhaseCounter, PhaseModel

__all__ = [
    "PHASES",
    "Count",
    "GeometricCounter",
    "PhaseCounter",
    "PhaseModel",
    "SitUpCounter",
]
