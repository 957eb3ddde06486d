from __future__ import annotations

import cv2
import numpy as np
import shapes

from reflexarc.export.check.worst import worst
from reflexarc.export.parity import Answers
from reflexarc.models.cards import card_of
from reflexarc.models.family import Split
from reflexarc.perception.card import Card, InputSpec, SequenceSpec
from reflexarc.perception.keypoints import KEYPOINT


def card(**update: object) -> Card:
    return card_of(shapes.FAMILY, shapes.load()).model_copy(update=update)


def answers(values: np.ndarray) -> Answers:
    return Answers(values.astype(np.float32), np.zeros(len(values)))


def test_poses_are_drawn_side_by_side_and_what_nobody_is_sure_of_does_not_count() -> None:
    reference = np.tile(np.float32([20, 30, 0.9]), (4, 17, 1))
    reference[:, [KEYPOINT["left_hip"], KEYPOINT["right_hip"]], 1] = 50
    reference[:, 0, 2] = 0.1
    reference[3, :, 2] = 0.1  # nobody there
    found = reference.copy()
    found[1, :, 0] += 6  # all keypoints
    found[2, 0, 0] += 40  # only the one that Keras itself is unsure of
    found[3, :, 0] += 40
    split = Split(np.zeros((4, 64, 64, 3), np.uint8), np.zeros(4, np.int64))
    pose = card(
        task="pose",
        input=InputSpec(width=64, height=64, color="rgb", mean=0.0, std=255.0),
        thresholds={"body": 0.3},
    )
    (only,) = worst(pose, split, answers(found), answers(reference))
    assert (only.index, round(only.disagreement, 3)) == (1, 6.0)
    picture = cv2.imdecode(np.frombuffer(only.picture or b"", np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (128, 256, 3)
    left, right = picture[:, :128], picture[:, 128:]
    assert left.any() and right.any() and not np.array_equal(left, right)


def test_a_series_has_no_picture() -> None:
    split = Split(np.zeros((2, 20, 5), np.float32), np.array([0, 1]))
    series = card(input=SequenceSpec(steps=20, features=("a",) * 5, rate_hz=15))
    reference = np.eye(4)[[0, 1]]
    found = np.eye(4)[[0, 2]]
    (only,) = worst(series, split, answers(found), answers(reference))
    assert only.picture is None
    assert (only.truth, only.keras, only.found) == ("standing", "standing 1.00", "slanted 1.00")
    assert only.disagreement == 1.0
