"""Lines and zones that a user draws into the picture, and where a point lies to them.

Pixels: x right, y down. A shape that lies within 0..1 is one in parts of the picture's
width and height.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.base import TaskError

Point = tuple[float, float]
Shape = tuple[Point, ...]


def parse_line(name: str, points: Any) -> Shape:
    """A line as the user gives it: two different points.

    Raises:
        TaskError: anything else.
    """
    line = _points(name, points, "a line: two points")
    if len(line) != 2:
        raise _wrong(
            "a line: two points",
            f"{len(line)} points in {name!r}",
            "give where it begins and where it ends; a bent line is two lines",
        )
    if line[0] == line[1]:
        raise _wrong("two different points", f"{line[0]} twice in {name!r}", "move one of them")
    return line


def parse_zone(name: str, points: Any) -> Shape:
    """A zone as the user gives it: the corners of a simple polygon, closed or not.

    Raises:
        TaskError: fewer than three corners, no area, edges that cross, or anything else.
    """
    zone = _points(name, points, "a zone: at least three corners")
    if len(zone) > 3 and zone[0] == zone[-1]:
        zone = zone[:-1]
    if len(zone) < 3:
        raise _wrong(
            "a zone: at least three corners",
            f"{len(zone)} points in {name!r}",
            "give the corners in their order around the zone",
        )
    edges = list(zip(zone, zone[1:] + zone[:1], strict=True))
    for i, (a, b) in enumerate(edges):
        # Neighbours share a corner; the first and the last edge are neighbours too.
        for j in range(i + 2, len(edges) - (i == 0)):
            if crosses(a, b, *edges[j]):
                raise _wrong(
                    "a zone whose edges do not cross",
                    f"edges {i + 1} and {j + 1} of {name!r} do",
                    "give the corners in their order around the zone",
                )
    if math.isclose(_area(zone), 0.0, abs_tol=1e-12):
        raise _wrong("a zone with an area", f"none in {name!r}", "move a corner")
    return zone


def parse_all(kind: str, given: Any) -> dict[str, Shape]:
    """Lines or zones by name.

    Args:
        kind: "lines" or "zones".
        given: name -> points, see above.

    Raises:
        TaskError: no such mapping, or a shape that is none.
    """
    if not isinstance(given, Mapping):
        raise _wrong(
            f"{kind} as a mapping of a name to points",
            repr(given)[:80],
            "write NAME: [[x, y], ...]",
        )
    parse = {"lines": parse_line, "zones": parse_zone}[kind]
    return {str(name): parse(str(name), points) for name, points in given.items()}


def in_pixels(name: str, shape: Shape, width: int, height: int) -> Shape:
    """The shape in pixels of a picture of this size.

    Raises:
        TaskError: none of it is in the picture.
    """
    pixels = np.asarray(shape)
    if (pixels <= 1).all():
        pixels = pixels * (width, height)
    if (pixels.max(axis=0) < 0).any() or (pixels.min(axis=0) > (width, height)).any():
        raise _wrong(
            f"shapes in the picture, which has {width} x {height} pixels",
            f"{name!r} is outside: {[tuple(p) for p in shape]}",
            "give pixels (x right, y down), or parts of the picture from 0 to 1",
        )
    return tuple((float(x), float(y)) for x, y in pixels)


def side(a: Point, b: Point, point: Point) -> float:
    """Distance of a point from the line through a and b: positive to the right of it, as
    somebody sees it who stands at a and looks to b (y points down)."""
    (ax, ay), (bx, by), (px, py) = a, b, point
    across = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return across / math.hypot(bx - ax, by - ay)


def crosses(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments ab and cd meet."""
    sides = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    return any(
        turn == 0 and _between(p, q, r)
        for turn, (p, q, r) in zip(sides, ((a, b, c), (a, b, d), (c, d, a), (c, d, b)), strict=True)
    )


def inside(zone: npt.NDArray[np.float32], point: Point) -> bool:
    """Whether a point is in a polygon (float32 (n, 1, 2)) or on its edge."""
    return cv2.pointPolygonTest(zone, point, False) >= 0


def _turn(a: Point, b: Point, c: Point) -> int:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return int(cross > 0) - int(cross < 0)


def _between(a: Point, b: Point, c: Point) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _area(zone: Shape) -> float:
    x, y = np.asarray(zone, np.float64).T
    return float(np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _points(name: str, points: Any, expected: str) -> Shape:
    try:
        values = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if isinstance(points, str) or not isinstance(points, Sequence | np.ndarray):
        values = np.empty(0)
    if values.ndim != 2 or values.shape[1] != 2:
        raise _wrong(
            f"{expected}, each [x, y]", f"{points!r:.80} in {name!r}", "write [[x, y], [x, y], ...]"
        )
    if not np.isfinite(values).all():
        raise _wrong(
            f"{expected}, of numbers", f"{points!r:.80} in {name!r}", "leave out nan and inf"
        )
    return tuple((float(x), float(y)) for x, y in values)


def _wrong(expected: str, found: str, remedy: str) -> TaskError:
    return TaskError(expected=expected, found=found, remedy=remedy)
