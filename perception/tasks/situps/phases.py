"""The counter on the phases that the sit-up net tells."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps.cycle import PHASES, Count, Cycle, Phase
from reflexarc.perception.tasks.situps.features import Resampler, Window, normalize

ENTER = 0.6
"""A phase begins when the net gives it this much: two phases never both do, and
between them the last one stays (hysteresis)."""


class PhaseModel(Protocol):
    """What the counter needs of the net."""

    def predict(self, series: npt.NDArray[np.float32], /) -> npt.NDArray[np.float32]:
        """Float32 (STEPS, len(FEATURES)) -> float32 (len(PHASES),), in 0..1, sum 1."""
        ...


class PhaseCounter:
    """Counts sit-ups on a net's phases (a `SitUpCounter`)."""

    def __init__(self, model: PhaseModel) -> None:
        """Take a net whose labels are PHASES."""
        self._model = model
        self._resampler = Resampler()
        self._window = Window()
        self._cycle = Cycle()
        self._phase: Phase = "other"
        self._confidence = 0.0

    def update(self, pose: Pose | None, stamp_ns: int) -> Count:
        """See `SitUpCounter.update`."""
        due, broken = self._resampler.push(pose, stamp_ns)
        if broken:
            self._window.restart()
            self._cycle.restart()
            self._phase, self._confidence = "other", 0.0
        for _, body in due:
            scores = self._model.predict(normalize(self._window.push(body)))
            best = int(scores.argmax())
            if scores[best] >= ENTER:
                self._phase = PHASES[best]
            self._confidence = float(scores[PHASES.index(self._phase)])
            self._cycle.step(self._phase)
        return Count(self._cycle.full, self._cycle.partial, self._phase, self._confidence)
