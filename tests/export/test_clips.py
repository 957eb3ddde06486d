"""The packaged pose and sit-up nets, both INT8, count real clips and unseen body-model takes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.export.clips import ClipError, Watched, chart, count_folder, watch
from reflexarc.models.situps import score
from reflexarc.perception import Model, load_model
from reflexarc.perception.tasks.situps.geometry import GeometricCounter
from reflexarc.perception.tasks.situps.phases import PhaseCounter

WEIGHTS = Path(str(files("reflexarc.perception"))) / "weights"


@pytest.fixture(scope="module")
def pose() -> Model:
    return load_model(WEIGHTS / "pose.tflite")


@pytest.fixture(scope="module")
def situps() -> Model:
    return load_model(WEIGHTS / "situps.tflite")


@pytest.fixture(scope="module")
def watched(shared_data: Path, pose: Model, situps: Model) -> dict[str, Watched]:
    return {w.result.clip: w for w in count_folder(shared_data / "situps", pose, situps)}


def test_the_looped_sit_ups_are_counted_right_to_within_one(watched: dict[str, Watched]) -> None:
    result = watched["sport_with_ai_situp.gif"].result
    assert result.loops == 10
    # One whole repetition in each loop, and one across each of the nine seams.
    assert abs(result.net - 19) <= 1
    assert abs(result.geometric - 19) <= 1


@pytest.mark.parametrize("clip", ["walk.mp4", "push_up.gif", "squat.gif"])
def test_other_exercise_is_no_sit_up(watched: dict[str, Watched], clip: str) -> None:
    result = watched[clip].result
    assert result.bodies > 0.9 * result.frames
    assert (result.net, result.geometric) == (0, 0)


def test_the_chart_is_a_picture_of_every_clip(watched: dict[str, Watched]) -> None:
    picture = cv2.imdecode(np.frombuffer(chart(list(watched.values())), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape[0] > 200 * len(watched)


def test_takes_that_training_never_saw_are_counted_exactly(situps: Model) -> None:
    takes = score.held_out(200)
    net = score.tally(lambda: PhaseCounter(situps), takes)
    assert net.exact >= 196
    # The net is the default because it is the better one.
    assert net.exact > score.tally(GeometricCounter, takes).exact


def test_what_is_no_clip_is_an_error(tmp_path: Path, pose: Model) -> None:
    (tmp_path / "not.mp4").write_bytes(b"not a clip")
    with pytest.raises(ClipError, match=r"0 frames in .*not\.mp4"):
        watch(tmp_path / "not.mp4", pose)


def test_the_packaged_files_are_small_and_say_what_they_are(pose: Model, situps: Model) -> None:
    assert pose.path.stat().st_size <= 3_200_000
    assert situps.path.stat().st_size <= 60_000
    assert (pose.card.name, pose.card.quantization) == ("movenet", "int8")
    assert (situps.card.name, situps.card.quantization) == ("situps", "int8")
    assert pose.card.metrics["accuracy"] >= 0.95
    assert situps.card.metrics["accuracy"] >= situps.card.metrics["accuracy_keras"] - 0.005
