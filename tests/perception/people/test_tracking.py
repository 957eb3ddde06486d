"""Boxes get numbers that stay with whom they belong to."""

from __future__ import annotations

import numpy as np
import pytest

from reflexarc.perception.tracking import NOBODY, Tracker

FRAME_NS = 100_000_000


def walk(tracker: Tracker, frames: int, *, first: int = 0, score: float = 0.9) -> list[list[int]]:
    """Two people who walk towards each other on two heights of the picture."""
    return [
        tracker.update(
            [[10 + 4 * i, 20, 40 + 4 * i, 100], [300 - 4 * i, 220, 330 - 4 * i, 300]],
            [score, score],
            i * FRAME_NS,
        ).tolist()
        for i in range(first, first + frames)
    ]


def test_numbers_count_from_one_and_stay() -> None:
    assert walk(Tracker(), 12) == [[1, 2]] * 12


def test_every_tracker_counts_for_itself_and_repeats_exactly() -> None:
    rng = np.random.default_rng(0)
    frames = [
        (rng.uniform(0, 80, (6, 2)), rng.uniform(20, 60, (6, 2)), rng.uniform(0.1, 1, 6))
        for _ in range(60)
    ]
    runs = [
        [
            tracker.update(np.hstack([low, low + size]), scores, i * FRAME_NS).tolist()
            for i, (low, size, scores) in enumerate(frames)
        ]
        for tracker in (Tracker(), Tracker())
    ]
    assert runs[0] == runs[1]
    assert max(max(row) for row in runs[0]) > 6


def test_an_unsure_box_prolongs_a_track_and_begins_none() -> None:
    tracker = Tracker(sure=0.5)
    assert walk(tracker, 3, score=0.2) == [[NOBODY, NOBODY]] * 3
    assert walk(tracker, 3, first=3)[-1] == [1, 2]
    assert walk(tracker, 3, first=6, score=0.2) == [[1, 2]] * 3


def test_who_comes_back_in_time_keeps_the_number_and_later_gets_another() -> None:
    box = [[100, 100, 140, 200]]
    tracker = Tracker(keep_ns=5 * FRAME_NS)
    for i in range(5):
        tracker.update(box, [0.9], i * FRAME_NS)
    tracker.update([], [], 5 * FRAME_NS)
    assert tracker.update(box, [0.9], 8 * FRAME_NS).tolist() == [1]
    tracker.update([], [], 20 * FRAME_NS)
    assert tracker.update(box, [0.9], 21 * FRAME_NS).tolist() == [2]


def test_places_go_on_where_nothing_was_found() -> None:
    tracker = Tracker()
    walk(tracker, 10)
    before = tracker.places()[1]
    tracker.update([], [], 10 * FRAME_NS)
    after = tracker.places()[1]
    assert set(tracker.places()) == {1, 2}
    assert after[0] - before[0] == pytest.approx(4, abs=1.5)


def test_where_time_goes_back_all_begin_anew_with_new_numbers() -> None:
    tracker = Tracker()
    walk(tracker, 5)
    assert walk(tracker, 2) == [[3, 4]] * 2


def test_boxes_that_are_none_are_nobodys() -> None:
    tracker = Tracker()
    boxes = [[0, 0, np.nan, 9], [5, 5, 5, 9], [10, 10, 40, 90], [0, 0, np.inf, 4], [9, 9, 1, 1]]
    for i in range(3):
        assert tracker.update(boxes, [0.9] * 5, i * FRAME_NS).tolist() == [0, 0, 1, 0, 0]
    assert np.isfinite(tracker.places()[1]).all()


def test_a_score_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="a score for each of 2 boxes"):
        Tracker().update([[0, 0, 1, 1], [2, 2, 3, 3]], [0.5], 0)
