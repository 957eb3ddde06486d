"""The classify task on photos that its packaged model never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reflexarc.perception import Box, Frame
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.tasks import default_model, open_task


def frame(image: np.ndarray) -> Frame:
    return Frame(image, 0, 0, "test")


def test_photos_of_clothes_are_named(shared_data: Path) -> None:
    task = open_task("classify", min_score=0.0)
    photos = sorted((shared_data / "clothing10" / "test").glob("*/*"))
    right = 0
    for photo in photos:
        image = read_picture(photo)
        (best,) = task.process(frame(image)).detections
        assert best.box == Box(0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
        right += best.label == photo.parent.name
    print(f"\nclassify: {right} of {len(photos)} photos named right")
    assert right / len(photos) >= 0.91


def test_the_best_few_come_in_order_and_the_unsure_not_at_all() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    labels = default_model("classify").card.labels
    every = open_task("classify", top=len(labels), min_score=0.0).process(frame(image))
    scores = [found.score for found in every.detections]
    assert scores == sorted(scores, reverse=True)
    assert {found.label for found in every.detections} == set(labels)
    middle = scores[3]
    some = open_task("classify", top=len(labels), min_score=middle).process(frame(image))
    assert some.detections == tuple(f for f in every.detections if f.score >= middle)
    assert open_task("classify", min_score=1.1).process(frame(image)).detections == ()


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_pictures_of_any_shape(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    assert len(open_task("classify", min_score=0.0).process(frame(image)).detections) == 1
