"""What there is to show of one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.overlay import Marks, draw

Image = npt.NDArray[np.uint8]

JPEG_QUALITY = 80


class PreviewError(ReflexarcError):
    """A place where nothing can be shown."""


@dataclass(frozen=True)
class View:
    """A frame, what is known of it, and how things go. Drawn and encoded when asked for.

    Attributes:
        frame: as it may be shown: with faces blurred where that was asked for.
        observations: the newest of each task.
        marks: lines and zones.
        look_ms: time of a look by the task's name.
        statistics: for JSON.
    """

    frame: Frame
    observations: tuple[Observation, ...] = ()
    marks: Marks = field(default_factory=Marks)
    look_ms: Mapping[str, float] = field(default_factory=dict)
    statistics: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def drawn(self) -> Image:
        """The frame with everything on it (uint8 RGB)."""
        return draw(self.frame.image, self.observations, latency_ms=self.look_ms, marks=self.marks)

    @cached_property
    def jpeg(self) -> bytes:
        """`drawn`, compressed."""
        bgr = cv2.cvtColor(self.drawn, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        return data.tobytes()
