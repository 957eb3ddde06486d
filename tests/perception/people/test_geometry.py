"""What may be a line or a zone, and why something else is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.people.geometry import (
    crosses,
    in_pixels,
    inside,
    parse_all,
    parse_line,
    parse_zone,
    side,
)

SQUARE = [[10, 10], [50, 10], [50, 50], [10, 50]]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([[1, 2]], "1 points in 'door'"),
        ([[1, 2], [3, 4], [5, 6]], "3 points"),
        ([[1, 2], [1, 2]], "twice"),
        ([[1, 2], [3, math.nan]], "leave out nan"),
        ([[1, 2], [3, math.inf]], "leave out nan"),
        ([[1, 2, 3], [4, 5, 6]], "each \\[x, y\\]"),
        ([[1, 2], [3]], "each \\[x, y\\]"),
        ([["a", "b"], ["c", "d"]], "each \\[x, y\\]"),
        ("12", "each \\[x, y\\]"),
        (7, "each \\[x, y\\]"),
        (None, "each \\[x, y\\]"),
        ([], "each \\[x, y\\]"),
    ],
)
def test_what_is_no_line_is_refused(points: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        parse_line("door", points)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([[0, 0], [5, 5]], "2 points"),
        ([[0, 0], [5, 5], [0, 0]], "at least three|an area"),
        ([[0, 0], [5, 5], [10, 10]], "an area"),
        ([[0, 0], [10, 10], [10, 0], [0, 10]], "edges 1 and 3 of 'yard'"),
        ([[0, 0], [10, 0], [10, 10], [5, -5]], "edges do not cross"),
        ([[0, 0], [10, 0], [math.nan, 4]], "leave out nan"),
    ],
)
def test_what_is_no_zone_is_refused(points: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        parse_zone("yard", points)


def test_a_closed_zone_is_the_same_as_an_open_one() -> None:
    assert parse_zone("yard", [*SQUARE, SQUARE[0]]) == parse_zone("yard", np.array(SQUARE))


@pytest.mark.parametrize("given", [[[[1, 2], [3, 4]]], "door", 3])
def test_shapes_come_by_name(given: Any) -> None:
    with pytest.raises(TaskError, match="a mapping of a name to points"):
        parse_all("lines", given)


def test_parts_of_the_picture_become_pixels_and_pixels_stay() -> None:
    assert in_pixels("door", ((0.5, 0.0), (0.5, 1.0)), 640, 480) == ((320, 0), (320, 480))
    assert in_pixels("door", ((100, 20), (700, 30)), 640, 480) == ((100, 20), (700, 30))


@pytest.mark.parametrize(
    "line", [((700, 1), (800, 9)), ((-9, -9), (-1, 500)), ((-0.5, 0), (-0.1, 1))]
)
def test_a_shape_outside_of_the_picture_is_refused(line: Any) -> None:
    with pytest.raises(TaskError, match="'door' is outside"):
        in_pixels("door", line, 640, 480)


def test_right_is_as_somebody_sees_it_who_looks_along_the_line() -> None:
    assert side((0, 0), (10, 0), (5, 3)) == 3  # looking to the right, below is right
    assert side((0, 0), (10, 0), (5, -3)) == -3
    assert side((0, 0), (0, 10), (-2, 5)) == 2  # looking down, the left of the picture is right


@pytest.mark.parametrize(
    ("c", "d", "meet"),
    [
        ((5, -5), (5, 5), True),
        ((15, -5), (15, 5), False),
        ((5, 1), (5, 5), False),
        ((10, -5), (10, 5), True),
        ((2, 0), (8, 0), True),
        ((11, 0), (18, 0), False),
        ((5, 0), (5, 5), True),
    ],
)
def test_segments_that_meet(c: Any, d: Any, meet: bool) -> None:
    assert crosses((0, 0), (10, 0), c, d) is meet
    assert crosses(d, c, (10, 0), (0, 0)) is meet


def test_inside_a_zone_with_a_bay() -> None:
    zone = np.array([[0, 0], [30, 0], [30, 30], [20, 30], [20, 10], [10, 10], [10, 30], [0, 30]])
    corners = zone.astype(np.float32).reshape(-1, 1, 2)
    assert inside(corners, (5, 20))
    assert inside(corners, (30, 15))  # the edge belongs to it
    assert not inside(corners, (15, 20))
