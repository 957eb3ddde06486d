"""What a task says about one frame. Pixels: origin top-left, x right, y down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels of the frame: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in the frame: its label, the score in 0..1, and where it is."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Observation:
    """A task's answer for one frame.

    Attributes:
        stamp_ns: capture time of the frame (monotonic), not of the answer.
        seq: the frame's position in its source.
        source: the frame's source (for a folder, the picture's path).
        task: which task speaks ("digits").
        detections: what was found, best score first. Empty is an answer:
            "nothing there".
    """

    stamp_ns: int
    seq: int
    source: str
    task: str
    detections: tuple[Detection, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the attributes by name, boxes as dicts."""
        return asdict(self)
