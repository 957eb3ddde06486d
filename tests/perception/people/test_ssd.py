"""Anchors where the net looks, boxes from its numbers, each person once."""

from __future__ import annotations

import numpy as np
import pytest

from reflexarc.perception.tasks.people.ssd import MOST, anchors, decode, iou, merge, sure

PUBLISHED_GRIDS = (19, 10, 5, 3, 2, 1)


def test_at_the_published_size_the_anchors_lie_around_the_published_ones() -> None:
    made = anchors(300, 300)
    assert made.shape == (1917, 4)
    first = 0
    for level, cells in enumerate(PUBLISHED_GRIDS):
        count = 3 if level == 0 else 6
        rows = made[first : first + cells * cells * count]
        first += len(rows)
        # The published ones divide the picture evenly.
        y, x = np.mgrid[:cells, :cells]
        even = (np.stack([y, x], axis=-1).reshape(-1, 2) + 0.5).repeat(count, 0) * 300 / cells
        apart = rows[:, :2] - even
        step = 2 ** (4 + level) - 300 / cells
        assert np.abs(apart).max() == pytest.approx(step * (cells - 1) / 2, abs=1e-3)
        assert np.abs(apart.mean(axis=0)).max() < 1e-3


def test_sizes_of_anchors_are_those_of_the_object_detection_api() -> None:
    height, width = anchors(300, 300)[:, 2:].T
    np.testing.assert_allclose(height[:3] * width[:3], [30**2, 60**2, 60**2], rtol=1e-5)
    np.testing.assert_allclose(width[:3] / height[:3], [1, 2, 0.5], rtol=1e-5)
    second = slice(1083, 1089)
    np.testing.assert_allclose(
        width[second] / height[second], [1, 2, 1 / 2, 3, 1 / 3, 1], rtol=1e-5
    )
    assert width[1088] == pytest.approx(300 * np.sqrt(0.35 * 0.5), rel=1e-5)


@pytest.mark.parametrize(("height", "width"), [(300, 512), (301, 299), (64, 640)])
def test_a_larger_net_has_the_same_anchors_more_often(height: int, width: int) -> None:
    made = anchors(height, width)
    cells, h, w = 0, height, width
    for _ in range(4):
        h, w = -(-h // 2), -(-w // 2)
    for count in (3, 6, 6, 6, 6, 6):
        cells += h * w * count
        h, w = -(-h // 2), -(-w // 2)
    assert len(made) == cells
    steps = np.diff(made[: 3 * -(-width // 16) : 3, 1])
    np.testing.assert_allclose(steps, 16)


def test_nothing_said_is_the_anchor_itself() -> None:
    made = anchors(300, 300)
    (box,) = decode(np.zeros((1917, 4), np.float32), np.array([30]), made)
    y, x, height, width = made[30]
    np.testing.assert_allclose(box, [x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def test_offsets_move_by_tenths_and_stretch_by_fifths() -> None:
    made = np.array([[100, 100, 50, 20]], np.float32)
    rows = np.array([[10, -5, 5 * np.log(2), 0]], np.float32)
    (box,) = decode(rows, np.array([0]), made)
    np.testing.assert_allclose(box, [80, 100, 100, 200], rtol=1e-5)


def test_scores_from_logits_and_only_the_best_are_kept() -> None:
    logits = np.array([-3.0, 0.0, 2.0], np.float32)
    chosen, scores = sure(logits, 0.5)
    assert chosen.tolist() == [1, 2]
    np.testing.assert_allclose(scores, [0.5, 0.8808], atol=1e-4)
    many = np.linspace(0, 5, 1000).astype(np.float32)
    assert sure(many, 0.1)[0].tolist() == list(range(1000 - MOST, 1000))


def test_doubles_are_one_box_between_them_and_neighbours_stay_two() -> None:
    boxes = np.array(
        [[0, 0, 40, 100], [4, 0, 44, 100], [60, 0, 100, 100], [0, 0, 40, 98]], np.float32
    )
    merged, scores = merge(boxes, np.array([0.6, 0.3, 0.9, 0.1], np.float32))
    np.testing.assert_allclose(scores, [0.9, 0.6])
    np.testing.assert_allclose(merged[0], boxes[2], rtol=1e-6)
    np.testing.assert_allclose(merged[1], [1.2, 0, 41.2, 99.8], rtol=1e-5)


def test_nothing_merges_to_nothing() -> None:
    merged, scores = merge(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    assert merged.shape == (0, 4)
    assert scores.shape == (0,)


def test_overlap() -> None:
    some = np.array([[0, 0, 10, 10]], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10]], np.float32)
    np.testing.assert_allclose(iou(some, others), [[1, 1 / 3, 0]], rtol=1e-6)
