"""How right a file is: on a net and photos whose right answers are known."""

from __future__ import annotations

from pathlib import Path

import colours
import keras
import numpy as np
import pytest
from keras import layers

from reflexarc.core import ReflexarcError
from reflexarc.export.evaluate import Evaluation, evaluate, load
from reflexarc.export.samples import EvaluationError, Samples, samples_for
from reflexarc.models import folders
from reflexarc.models.family import Split
from reflexarc.models.mnist import Mnist
from reflexarc.perception.card import InputSpec
from reflexarc.perception.keypoints import KEYPOINT
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.pose.movenet import OUTPUTS


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for photos; what is decoded is not kept in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(path: Path, data: Path) -> Evaluation:
    loaded = load(path)
    return evaluate(loaded, samples_for(loaded.model.card, data))


@pytest.mark.parametrize("kind", ["keras", "float32", "int8", "onnx"])
def test_every_kind_of_file_gives_the_same_counts(
    kind: str, colour_files: dict[str, Path], here: Path
) -> None:
    data = colours.write_folder(here / "photos", each=4)
    done = run(colour_files[kind], data)
    assert done.n == 14
    assert done.labels == ("red", "green", "blue")
    # Rows are the truth: two photos in the folder of the blue ones are red.
    assert done.confusion.tolist() == [[4, 0, 0], [0, 4, 0], [2, 0, 4]]
    assert done.accuracy == pytest.approx(12 / 14)
    assert done.per_class["blue"] == {"n": 6, "precision": 1.0, "recall": pytest.approx(4 / 6)}
    assert done.per_class["red"] == {"n": 4, "precision": pytest.approx(4 / 6), "recall": 1.0}
    assert done.worst(5) == [("blue", "red", 2)]


def test_the_test_folder_is_used_where_there_is_one(
    colour_files: dict[str, Path], here: Path
) -> None:
    data = here / "photos"
    colours.write_folder(data / "test", each=3)
    colours.write_folder(data / "train", each=5)
    assert run(colour_files["int8"], data).n == 3 * 3 + 2
    only = here / "only"
    colours.write_folder(only / "test", each=2)
    assert run(colour_files["int8"], only).n == 2 * 3 + 2


def test_what_training_saw_is_not_counted(colour_files: dict[str, Path], here: Path) -> None:
    data = colours.write_folder(here / "photos", each=20)
    card = read_card(colour_files["int8"])
    assert len(samples_for(card, data).split) == 62
    trained = folders.load(data, colours.SPEC, labels=colours.LABELS)
    seen = card.model_copy(update={"data": trained.source})
    samples = samples_for(seen, data)
    assert len(samples.split) == len(trained.test) < 10
    assert np.array_equal(samples.split.inputs, trained.test.inputs)
    assert "held back" in samples.part


def test_one_class_alone_is_enough_and_a_bad_photo_is_listed(
    colour_files: dict[str, Path], here: Path
) -> None:
    data = colours.write_folder(here / "photos", each=3)
    for label in ("red", "blue"):
        for path in (data / label).iterdir():
            path.unlink()
        (data / label).rmdir()
    (data / "green" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    done = run(colour_files["int8"], data)
    assert (done.n, done.accuracy) == (3, 1.0)
    assert list(done.skipped) == ["green/broken.jpg"]
    assert done.per_class["red"] == {"n": 0, "precision": None, "recall": None}


def test_folders_of_other_classes_are_refused(colour_files: dict[str, Path], here: Path) -> None:
    data = colours.write_folder(here / "photos")
    (data / "blue").rename(data / "violet")
    with pytest.raises(ReflexarcError, match="among red, green, blue; found a folder 'violet'"):
        run(colour_files["int8"], data)
    with pytest.raises(ReflexarcError, match="no folder at"):
        run(colour_files["int8"], here / "none")


def test_folders_of_mask_photos_may_be_called_otherwise(here: Path) -> None:
    data = colours.write_folder(here / "photos", each=3)
    (data / "red").rename(data / "with_mask")
    (data / "green").rename(data / "without_mask")
    for path in (data / "blue").iterdir():
        path.unlink()
    (data / "blue").rmdir()
    card = colours.CARD.model_copy(update={"name": "mask", "labels": ("mask", "no_mask")})
    assert sorted(samples_for(card, data).split.labels.tolist()) == [0, 0, 0, 1, 1, 1]


def test_digits_bring_their_own_test_set(mnist: Mnist) -> None:
    loaded = load(default_model_path("digits"))
    samples = samples_for(loaded.model.card, None)
    assert len(samples.split) == 10_000
    few = Samples(Split(samples.split.inputs[:1000], samples.split.labels[:1000]), samples.part)
    told: list[tuple[int, int]] = []
    done = evaluate(loaded, few, lambda n, of: told.append((n, of)))
    assert told == [(i + 1, 1000) for i in range(1000)]
    assert done.accuracy > 0.985
    assert done.confusion.sum() == 1000


def test_data_of_another_family_is_refused(mnist: Mnist) -> None:
    card = read_card(default_model_path("digits"))
    with pytest.raises(EvaluationError, match="labels 0, 1; found 0, 1, 2"):
        samples_for(card.model_copy(update={"labels": ("0", "1")}), None)


def test_poses_need_their_keras_model(colour_files: dict[str, Path], tmp_path: Path) -> None:
    pose = colours.CARD.model_copy(update={"task": "pose", "name": "movenet"})
    path = colours.save_keras(colours.net(), pose, tmp_path / "pose.keras")
    with pytest.raises(EvaluationError, match=r"add --reference model\.keras"):
        load(path)
    with pytest.raises(EvaluationError, match=r"a \.keras file of movenet"):
        load(path, reference=colour_files["keras"])
    with pytest.raises(EvaluationError, match="no --reference"):
        load(colour_files["int8"], reference=path)


def pose_file(path: Path, moved: int) -> Path:
    """A net that sees the same body everywhere: shoulders above hips, the rest between.

    `moved` of its keypoints lie 6 cells (24 pixels) too far to the right.
    """
    cells = np.zeros((17, 2), np.float32)  # y, x of each keypoint from the middle
    for side, x in (("left", 1), ("right", -1)):
        cells[KEYPOINT[f"{side}_shoulder"]] = -4, x
        cells[KEYPOINT[f"{side}_hip"]] = 4, x
    cells[:moved, 1] += 6
    image = keras.Input((64, 64, 3), name="image")
    x = layers.AveragePooling2D(4)(image)
    biases = {"center": [2.0], "heatmap": [3.0] * 17, "regression": cells.ravel()}
    biases["offset"] = [0.0] * 34
    outputs = []
    for name in OUTPUTS:
        layer = layers.Conv2D(len(biases[name]), 1, name=name)
        outputs.append(layer(x))
        kernel, _ = layer.get_weights()
        layer.set_weights([0 * kernel, np.array(biases[name], np.float32)])
    update = {
        "name": "movenet",
        "task": "pose",
        "input": InputSpec(width=64, height=64, color="rgb", mean=0, std=255),
        "outputs": OUTPUTS,
        "thresholds": {"keypoint": 0.2, "body": 0.3},
    }
    card = colours.CARD.model_copy(update=update)
    return colours.save_keras(keras.Model(image, outputs, name="movenet"), card, path)


def test_a_pose_file_is_measured_in_keypoints_near_those_of_its_twin(tmp_path: Path) -> None:
    twin = pose_file(tmp_path / "twin.keras", moved=0)
    photos = Samples(Split(np.zeros((2, 64, 64, 3), np.uint8), np.zeros(2, np.int64)), "photos")
    same = evaluate(load(twin, reference=twin), photos)
    assert (same.accuracy, same.metrics["mean_distance_px"], same.metrics["bodies"]) == (1, 0, 2)
    # Half of the torso's 8 cells is 16 pixels; three keypoints of 17 are 24 away.
    other = evaluate(load(pose_file(tmp_path / "a.keras", moved=3), reference=twin), photos)
    assert other.accuracy == pytest.approx(14 / 17)
    assert other.metrics["mean_distance_px"] == pytest.approx(3 * 24 / 17)
    assert other.per_class == {} and other.worst(5) == []
    assert other.as_dict()["confusion"] == []


def test_nothing_to_evaluate_on_is_an_error(colour_files: dict[str, Path]) -> None:
    nothing = Split(np.zeros((0, 16, 24, 3), np.uint8), np.zeros(0, np.int64))
    with pytest.raises(EvaluationError, match="at least one sample"):
        evaluate(load(colour_files["int8"]), Samples(nothing, "an empty set"))
