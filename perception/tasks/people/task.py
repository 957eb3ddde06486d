"""The people task: how many there are and have been, who crosses lines, who stays where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.perception.overlay import Marks
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.people.counting import LineCounter, Step, ZoneTimer
from reflexarc.perception.tasks.people.detector import TASK, Detector
from reflexarc.perception.tasks.people.following import Followed, Person
from reflexarc.perception.tasks.people.geometry import Shape, in_pixels, parse_all

LABEL = "person"
MOST_TILES = 8

Points = Sequence[Sequence[float]]


class People:
    """Follows people and counts them.

    Detections: label "person", the number of the track, and as values "dwell_s_ZONE" for
    each zone that the person is in, and "unseen_s" where it was not found in this frame
    and is believed to have walked on.

    Counts: "people" in this frame; "unique" so far; "LINE_in" and "LINE_out" (see
    `LineCounter` for which is which); "ZONE_now" in each zone.
    """

    def __init__(
        self,
        detector: Detector,
        lines: Mapping[str, Shape],
        zones: Mapping[str, Shape],
        *,
        tiles: int,
        sure: float,
        unsure: float,
    ) -> None:
        """Use `open_people`."""
        self._detector, self._tiles, self._unsure = detector, tiles, unsure
        self._shapes = {"lines": lines, "zones": zones}
        self._followed = Followed(sure)
        self._frames = 0
        # Lines, tracks and the rest live in pixels of the first frame, whatever comes later.
        self._size: tuple[int, int] | None = None
        self._scale = (1.0, 1.0)
        self._lines: dict[str, LineCounter] = {}
        self._zones: dict[str, ZoneTimer] = {}

    @property
    def marks(self) -> Marks:
        """The lines and zones in pixels of the last frame; none before the first."""
        if self._size is None:
            return Marks()
        lines, zones = (
            {
                name: [
                    (x / self._scale[0], y / self._scale[1])
                    for x, y in in_pixels(name, shape, *self._size)
                ]
                for name, shape in self._shapes[kind].items()
            }
            for kind in ("lines", "zones")
        )
        return Marks(lines, zones)

    def process(self, frame: Frame) -> Observation:
        """Look at the next frame.

        Raises:
            TaskError: a line or zone lies outside of the first picture.
        """
        people = self._look(frame)
        seen = [Step(person.track, person.feet, person.height) for person in people]
        for counter in self._lines.values():
            counter.update(seen, frame.stamp_ns)
        dwelt = {name: zone.update(seen, frame.stamp_ns) for name, zone in self._zones.items()}
        counts = {"people": len(people), "unique": self._followed.unique}
        for name, counter in self._lines.items():
            counts |= {f"{name}_in": counter.entered, f"{name}_out": counter.left}
        counts |= {f"{name}_now": len(times) for name, times in dwelt.items()}
        found = sorted(
            (self._detection(person, dwelt, frame.stamp_ns) for person in people),
            key=lambda detection: -detection.score,
        )
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, tuple(found), counts)

    def _look(self, frame: Frame) -> list[Person]:
        height, width = frame.image.shape[:2]
        if not (height and width):  # an empty picture: nobody is in it
            boxes, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
            return self._followed.update(boxes, scores, frame.stamp_ns, frame.image, (1.0, 1.0))
        if self._size is None:
            self._size = (width, height)
            self._place_shapes(width, height)
        self._scale = (self._size[0] / width, self._size[1] / height)
        boxes, scores = self._detector.find(
            frame.image, self._unsure, tiles=self._tiles, shifted=self._frames % 2 == 1
        )
        self._frames += 1
        scale = np.array(self._scale * 2, np.float32)
        return self._followed.update(
            boxes * scale, scores, frame.stamp_ns, frame.image, self._scale
        )

    def _place_shapes(self, width: int, height: int) -> None:
        for name, shape in self._shapes["lines"].items():
            self._lines[name] = LineCounter(in_pixels(name, shape, width, height))
        for name, shape in self._shapes["zones"].items():
            self._zones[name] = ZoneTimer(in_pixels(name, shape, width, height))

    def _detection(
        self, person: Person, dwelt: Mapping[str, Mapping[int, float]], stamp_ns: int
    ) -> Detection:
        values = {
            f"dwell_s_{name}": times[person.track]
            for name, times in dwelt.items()
            if person.track in times
        }
        if person.seen_ns < stamp_ns:
            values["unseen_s"] = (stamp_ns - person.seen_ns) / 1e9
        left, top, right, bottom = (
            value / self._scale[i % 2] for i, value in enumerate(person.box)
        )
        return Detection(
            LABEL,
            person.score,
            Box(left, top, right - left, bottom - top),
            person.track,
            values=values,
        )


def open_people(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    lines: Mapping[str, Points] | None = None,
    zones: Mapping[str, Points] | None = None,
    tiles: int = 1,
    min_score: float | None = None,
) -> People:
    """The task ready to look, see `reflexarc.perception.tasks.open_task`.

    Args:
        model: another net for the task.
        device: where it runs.
        lines: name -> where a counting line begins and ends, [[x, y], [x, y]], in pixels of
            the first frame or, all within 0..1, in parts of its sides.
        zones: name -> corners of a polygon, likewise.
        tiles: more than 1: look at so many by so many tiles of each frame too, for people
            who are small in it. Each costs as much as the whole frame.
        min_score: what is sure enough to begin a track; the model card's if None.

    Raises:
        TaskError: a shape that is none, or a number out of its range;
            the card of `model` is of another task.
        ModelFileError: the file cannot be used.
    """
    shapes = {
        kind: parse_all(kind, {} if given is None else given)
        for kind, given in (("lines", lines), ("zones", zones))
    }
    if isinstance(tiles, bool) or not isinstance(tiles, int) or not 1 <= tiles <= MOST_TILES:
        raise TaskError(
            expected=f"tiles: a whole number from 1 to {MOST_TILES}",
            found=repr(tiles),
            remedy="2 looks at four tiles besides the whole picture",
        )
    detector = Detector(load_model(model or default_model_path(TASK), device))
    thresholds = detector.model.card.thresholds
    sure = thresholds["score"] if min_score is None else _score(min_score)
    return People(
        detector,
        shapes["lines"],
        shapes["zones"],
        tiles=tiles,
        sure=sure,
        unsure=min(sure, thresholds["unsure"]),
    )


def _score(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and 0 < value < 1)
    ):
        raise TaskError(
            expected="min_score: a number between 0 and 1", found=repr(value), remedy="try 0.5"
        )
    return float(value)
