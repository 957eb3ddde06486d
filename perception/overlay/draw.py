"""Observations drawn onto their frame: one function for every task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.perception.overlay import text as lettering
from reflexarc.perception.overlay.skeleton import draw_body

Image = npt.NDArray[np.uint8]
Color = tuple[int, int, int]
Point = tuple[float, float]

_GREEN = (40, 220, 90)
_WHITE = (255, 255, 255)
_DARK = (16, 16, 16)
# For tracks: apart from each other and from skin, for colour-blind eyes too (Okabe and
# Ito 2008, "Color Universal Design"), without its black.
_TRACKS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 200, 140),
    (240, 228, 66),
    (60, 130, 230),
    (235, 110, 30),
    (224, 141, 187),
)
_MARK = (255, 80, 80)
_VALUES_SHOWN = 3
_PANEL_SHADE = 0.35


@dataclass(frozen=True)
class Marks:
    """What a task watches in the picture, in pixels: counting lines and zones by name."""

    lines: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    zones: Mapping[str, Sequence[Point]] = field(default_factory=dict)

    def scaled(self, factor: float) -> Marks:
        """The same in a picture of another size."""

        def kind(named: Mapping[str, Sequence[Point]]) -> dict[str, list[Point]]:
            return {
                name: [(factor * x, factor * y) for x, y in points]
                for name, points in named.items()
            }

        return Marks(kind(self.lines), kind(self.zones))


@runtime_checkable
class HasMarks(Protocol):
    """A task that watches lines or zones."""

    @property
    def marks(self) -> Marks:
        """Which ones."""
        ...


def marks_of(tasks: Iterable[object]) -> Marks:
    """What several tasks watch, together."""
    all_marks = [task.marks for task in tasks if isinstance(task, HasMarks)]
    return Marks(
        {name: points for marks in all_marks for name, points in marks.lines.items()},
        {name: points for marks in all_marks for name, points in marks.zones.items()},
    )


def draw(
    image: Image,
    observations: Iterable[Observation],
    *,
    latency_ms: Mapping[str, float] | None = None,
    marks: Marks | None = None,
    words: bool = True,
) -> Image:
    """Give a copy of a picture with everything on it that was said of it.

    Each detection gets its box (in its track's colour where it has one), a tag with
    track, label, score and values, and its keypoints. Counts stand in a panel at the left
    top, with the time that each task takes if `latency_ms` says it. Nothing said,
    nothing drawn.

    Args:
        image: uint8, (height, width, 3), RGB; stays as it is.
        observations: of one or several tasks.
        latency_ms: time of one look by the task's name.
        marks: lines and zones to show.
        words: False leaves out all text, and the dots of keypoints: for small pictures.
    """
    canvas = image.copy()
    panel = [f"{task} {ms:.1f} ms" for task, ms in (latency_ms or {}).items()]
    _draw_marks(canvas, marks or Marks(), words)
    tagged = []
    for observation in observations:
        for found in observation.detections:
            _draw_detection(canvas, found, dots=words)
            tagged.append(found)
        panel += [f"{name} {count}" for name, count in observation.counts.items()]
    if not words:
        return canvas
    # Tags last: no box lies over a word.
    below = _draw_panel(canvas, panel)
    for found in tagged:
        below = _draw_tag(canvas, found, below)
    return canvas


def _line(canvas: Image) -> int:
    return max(1, round(int(max(canvas.shape[:2])) / 300))


def _letters(canvas: Image) -> int:
    return max(11, round(int(max(canvas.shape[:2])) / 46))


def _color(found: Detection) -> Color:
    return _GREEN if found.track is None else _TRACKS[found.track % len(_TRACKS)]


def _corners(canvas: Image, box: Box) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom, kept near the picture; None where there is no place."""
    values = (box.x, box.y, box.x + box.width, box.y + box.height)
    if not all(map(math.isfinite, values)):
        return None
    height, width = canvas.shape[:2]
    limits = (width, height, width, height)
    left, top, right, bottom = (
        round(min(max(value, -limit), 2 * limit))
        for value, limit in zip(values, limits, strict=True)
    )
    return left, top, right, bottom


def _is_whole(canvas: Image, box: Box) -> bool:
    height, width = canvas.shape[:2]
    return box.x <= 0 and box.y <= 0 and box.width >= width and box.height >= height


def _draw_detection(canvas: Image, found: Detection, dots: bool) -> None:
    corners = _corners(canvas, found.box)
    if corners is not None and not _is_whole(canvas, found.box):
        cv2.rectangle(canvas, corners[:2], corners[2:], _color(found), _line(canvas))
    if found.keypoints:
        points = [(point.x, point.y) for point in found.keypoints]
        draw_body(canvas, points, [point.score for point in found.keypoints], dots=dots)


def _draw_tag(canvas: Image, found: Detection, below: int) -> int:
    """Write the tag of one detection; gives where the next one of the whole frame goes."""
    corners = _corners(canvas, found.box)
    if corners is None:
        return below
    size = _letters(canvas)
    words = f"{found.label} {100 * found.score:.0f}%"
    if found.track is not None:
        words = f"#{found.track} {words}"
    for name, value in list(found.values.items())[:_VALUES_SHOWN]:
        words += f" {name} {value:.3g}"
    width, height = lettering.measure(words, size)
    left, top, _, bottom = corners
    if _is_whole(canvas, found.box):
        y, below = below, below + height + 2
    else:
        # Above the box where there is room, else below it; never out of the picture.
        y = top - height - 1 if top > height else bottom + 2
    y = max(0, min(y, canvas.shape[0] - height))
    x = max(0, min(left, canvas.shape[1] - width - 4))
    cv2.rectangle(canvas, (x, y), (x + width + 4, y + height), _DARK, cv2.FILLED)
    lettering.put(canvas, words, x + 2, y, size, _color(found))
    return below


def _draw_panel(canvas: Image, lines: Sequence[str]) -> int:
    if not lines:
        return 0
    size = _letters(canvas)
    sizes = [lettering.measure(line, size) for line in lines]
    width, height = max(w for w, _ in sizes) + 8, sum(h for _, h in sizes) + 6
    corner = canvas[:height, :width]
    corner[:] = (corner * _PANEL_SHADE).astype(np.uint8)
    y = 2
    for line, (_, tall) in zip(lines, sizes, strict=True):
        lettering.put(canvas, line, 4, y, size, _WHITE)
        y += tall
    return height + 2


def _draw_marks(canvas: Image, marks: Marks, words: bool) -> None:
    size, line = _letters(canvas), _line(canvas)
    for closed, named in ((False, marks.lines), (True, marks.zones)):
        for name, points in named.items():
            corners = np.rint(np.asarray(points, np.float64)).astype(np.int32)
            cv2.polylines(canvas, [corners.reshape(-1, 1, 2)], closed, _MARK, line, cv2.LINE_AA)
            x, y = (int(v) for v in corners[0])
            if words:
                lettering.put(canvas, name, max(0, x + 3), max(0, y + 2), size, _MARK)
