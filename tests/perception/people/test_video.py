"""The whole street video: everybody followed and counted, judged by motmetrics.

Thresholds and the net's size were chosen on the first 240 frames; the others were not
looked at for that, and are held to the same limits.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.perception.observation import Observation
from reflexarc.perception.tasks import open_task
from reflexarc.perception.tasks.people.counting import LineCounter, Step
from reflexarc.perception.tasks.people.ssd import iou

from .conftest import frames

CHOSEN_ON = 240
LINES = {"west": [[0.4, 0.1], [0.4, 0.9]], "east": [[0.6, 0.1], [0.6, 0.9]]}
MIN_IOU = 0.5


@pytest.fixture(scope="module")
def seen(street: Path) -> list[Observation]:
    task = open_task("people", device="cpu", lines=LINES)
    return [task.process(frame) for frame in frames(street)]


def judge(seen: list[Observation], truth: npt.NDArray[np.float64]) -> dict[str, float]:
    """MOTA, IDF1 and the rest, from the observations' frames on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # motmetrics is older than this numpy and pandas
        import motmetrics

        judged = motmetrics.MOTAccumulator(auto_id=True)
        for observation in seen:
            here = truth[truth[:, 0] == observation.seq]
            boxes = [found.box for found in observation.detections]
            ours = np.array([[b.x, b.y, b.x + b.width, b.y + b.height] for b in boxes])
            apart = 1 - iou(corners(here), ours.reshape(-1, 4).astype(np.float32))
            apart[apart > 1 - MIN_IOU] = np.nan
            tracks = [found.track for found in observation.detections]
            judged.update(here[:, 1].astype(int), tracks, apart)
        names = ["mota", "idf1", "num_switches", "recall", "precision"]
        table = motmetrics.metrics.create().compute(judged, metrics=names)
    return {name: float(table[name].iloc[0]) for name in names}


def corners(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]]).astype(np.float32)


def test_the_whole_video_is_there(seen: list[Observation]) -> None:
    assert len(seen) == 795


def test_people_are_followed(seen: list[Observation], truth: npt.NDArray[np.float64]) -> None:
    found = judge(seen, truth)
    print(f"\npeople: MOTA {found['mota']:.3f}, IDF1 {found['idf1']:.3f}")
    assert found["mota"] >= 0.68, found
    assert found["idf1"] >= 0.56, found


def test_they_are_followed_where_nothing_was_chosen_by(
    seen: list[Observation], truth: npt.NDArray[np.float64]
) -> None:
    found = judge(seen[CHOSEN_ON:], truth)
    print(f"\npeople, frames not tuned on: MOTA {found['mota']:.3f}, IDF1 {found['idf1']:.3f}")
    assert found["mota"] >= 0.66, found
    assert found["idf1"] >= 0.56, found


def test_the_number_of_different_people_is_within_30_percent(
    seen: list[Observation], truth: npt.NDArray[np.float64]
) -> None:
    people = len(np.unique(truth[:, 1]))
    unique = [observation.counts["unique"] for observation in seen]
    print(f"\npeople: {unique[-1]} different ones, {people} in truth")
    assert people == 19
    assert abs(unique[-1] - people) <= 0.3 * people
    assert unique == sorted(unique)


@pytest.mark.parametrize("name", list(LINES))
def test_line_counts_are_those_of_the_true_boxes_within_15_percent(
    seen: list[Observation], truth: npt.NDArray[np.float64], name: str
) -> None:
    a, b = (np.array(LINES[name]) * (768, 576)).tolist()
    counter = LineCounter(((a[0], a[1]), (b[0], b[1])))
    for observation in seen:
        steps = [step(row) for row in truth[truth[:, 0] == observation.seq]]
        counter.update(steps, observation.stamp_ns)
    counts = seen[-1].counts
    print(
        f"\nline {name}: {counts[f'{name}_in']} in of {counter.entered}, "
        f"{counts[f'{name}_out']} out of {counter.left}"
    )
    assert min(counter.entered, counter.left) >= 10
    assert abs(counts[f"{name}_in"] - counter.entered) <= 0.15 * counter.entered
    assert abs(counts[f"{name}_out"] - counter.left) <= 0.15 * counter.left


def step(row: Any) -> Step:
    _, person, left, top, width, height = (float(value) for value in row)
    return Step(int(person), (left + width / 2, top + height), height)


def test_every_observation_survives_json(seen: list[Observation]) -> None:
    import json

    for observation in seen[::50]:
        assert Observation.from_dict(json.loads(json.dumps(observation.as_dict()))) == observation
