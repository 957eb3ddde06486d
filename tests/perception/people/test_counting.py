"""Sequences of feet, and what a line and a zone count of them."""

from __future__ import annotations

import pytest

from reflexarc.perception.tasks.people.counting import FORGET_NS, LineCounter, Step, ZoneTimer

LINE = ((0.0, 100.0), (200.0, 100.0))  # from left to right: in is down the picture
SECOND = 1_000_000_000
HEIGHT = 50.0  # the feet must be 5 away from the line


def count(*paths: list[tuple[float, float] | None]) -> tuple[int, int]:
    """Walk each path, a point a second, all at once; None: not seen."""
    counter = LineCounter(LINE)
    for i in range(max(map(len, paths))):
        steps = [
            Step(track, path[i], HEIGHT)  # type: ignore[arg-type]
            for track, path in enumerate(paths, 1)
            if i < len(path) and path[i] is not None
        ]
        counter.update(steps, i * SECOND)
    return counter.entered, counter.left


def down(*ys: float, x: float = 50.0) -> list[tuple[float, float] | None]:
    return [(x, y) for y in ys]


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (down(60, 80, 120, 140), (1, 0)),
        (down(140, 120, 80, 60), (0, 1)),
        (down(60, 140, 60, 140), (2, 1)),
        (down(60, 80, 90), (0, 0)),
        (down(120, 140), (0, 0)),  # appeared beyond it
        (down(60, 94, 97, 99, 101, 103, 106, 140), (1, 0)),  # slowly
        (down(60, 98, 102, 97, 103, 99, 101, 60), (0, 0)),  # trembled on it and went back
        (down(60, 98, 102, 97, 103, 140), (1, 0)),  # trembled on it and went on
        (down(99, 101, 99, 101), (0, 0)),  # was never anywhere else
        (down(101, 120), (0, 0)),
        ([(50, 60), None, None, (60, 140)], (1, 0)),  # crossed unseen
        ([(180, 80), (220, 90), (230, 110), (180, 120)], (0, 0)),  # around the end
        ([(180, 80), (220, 90), (230, 110), (180, 120), (180, 80)], (0, 1)),  # and back across
        ([(220, 60), (220, 140)], (0, 0)),  # past the end
        ([(-20, 60), (40, 140)], (1, 0)),  # slanting, over the end's inside
    ],
)
def test_crossings(path: list[tuple[float, float] | None], counts: tuple[int, int]) -> None:
    assert count(path) == counts


def test_each_person_counts_for_itself() -> None:
    assert count(down(60, 140), down(60, 140, x=90), down(140, 60, x=120)) == (2, 1)


def test_tall_people_have_to_go_further_to_be_across() -> None:
    counter = LineCounter(LINE)
    for i, y in enumerate((60, 108)):
        counter.update([Step(1, (50, y), 100.0), Step(2, (90, y), 50.0)], i * SECOND)
    assert (counter.entered, counter.left) == (1, 0)


def test_a_line_the_other_way_counts_the_other_way() -> None:
    counter = LineCounter((LINE[1], LINE[0]))
    for i, y in enumerate((60, 140)):
        counter.update([Step(1, (50, y), HEIGHT)], i * SECOND)
    assert (counter.entered, counter.left) == (0, 1)


def test_a_line_forgets_who_is_long_gone() -> None:
    counter = LineCounter(LINE)
    counter.update([Step(1, (50, 60), HEIGHT)], 0)
    counter.update([], FORGET_NS + 1)
    counter.update([Step(1, (50, 140), HEIGHT)], FORGET_NS + 2)
    assert (counter.entered, counter.left) == (0, 0)


ZONE = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))


def dwell(*inside: bool | None) -> list[float | None]:
    timer, told = ZoneTimer(ZONE), []
    for i, is_in in enumerate(inside):
        steps = [] if is_in is None else [Step(7, (50.0, 50.0 if is_in else 150.0), HEIGHT)]
        told.append(timer.update(steps, i * SECOND).get(7))
    return told


def test_time_in_a_zone_grows_while_the_feet_are_in_it() -> None:
    assert dwell(True, True, True) == [0.0, 1.0, 2.0]


def test_visits_add_up_and_the_time_between_them_does_not() -> None:
    assert dwell(True, True, False, False, True, True) == [0.0, 1.0, None, None, 1.0, 2.0]


def test_who_is_not_seen_is_not_counted_as_staying() -> None:
    assert dwell(True, None, True, True) == [0.0, None, 0.0, 1.0]


def test_time_that_goes_back_takes_nothing_away() -> None:
    timer = ZoneTimer(ZONE)
    steps = [Step(1, (50.0, 50.0), HEIGHT)]
    for stamp in (0, SECOND, 0):
        told = timer.update(steps, stamp)
        assert told[1] >= 0
