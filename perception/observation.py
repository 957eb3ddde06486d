"""What a task says about one frame. Pixels: origin top-left, x right, y down.

Whatever is seen is a `Detection`, whatever is counted is in `Observation.counts`: one
type for every task, so that rules, drawings and recordings need to know only one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels of the frame: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float


class Keypoint(NamedTuple):
    """A point of a body or a face in pixels of the frame, and how sure it is, 0..1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in the frame.

    Attributes:
        label: what it is ("3", "no_mask", "person").
        score: how sure that is, 0..1.
        box: where it is. The whole frame where a task says nothing of places.
        track: the same number for the same thing from frame to frame; None where the
            task does not follow things.
        keypoints: in the order that the task documents; empty where it has none.
        values: what else the task measures of it, by name ("dwell_s", "sit_ups").
    """

    label: str
    score: float
    box: Box
    track: int | None = None
    keypoints: tuple[Keypoint, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """A task's answer for one frame. Plain numbers only: it compares and serialises exactly.

    Attributes:
        stamp_ns: capture time of the frame (monotonic), not of the answer.
        seq: the frame's position in its source.
        source: the frame's source (for a folder, the picture's path).
        task: which task speaks ("digits").
        detections: what was found, best score first. Empty is an answer:
            "nothing there".
        counts: what the task has counted since it began, by name ("sit_ups").
    """

    stamp_ns: int
    seq: int
    source: str
    task: str
    detections: tuple[Detection, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the attributes by name, boxes as dicts, keypoints as lists."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Observation:
        """What `as_dict` gave, also after a way through JSON.

        Raises:
            KeyError, TypeError: it is something else.
        """
        detections = tuple(
            Detection(
                found["label"],
                found["score"],
                Box(**found["box"]),
                found["track"],
                tuple(Keypoint(*point) for point in found["keypoints"]),
                dict(found["values"]),
            )
            for found in data["detections"]
        )
        return cls(
            data["stamp_ns"],
            data["seq"],
            data["source"],
            data["task"],
            detections,
            dict(data["counts"]),
        )
