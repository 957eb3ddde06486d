"""The INT8 file: its size, its ops, and its keypoints against its own float model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from reflexarc.export.contents import read_contents
from reflexarc.export.convert import convert
from reflexarc.export.metadata import pack
from reflexarc.models import assets
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset
from reflexarc.models.movenet.family import FAMILY
from reflexarc.models.movenet.photos import CLIP, INPUT, PhotosError, clip_frames, load
from reflexarc.perception.card import Card
from reflexarc.perception.fit import fit
from reflexarc.perception.runtime import Model, load_model
from reflexarc.perception.tasks.pose.metrics import compare, distances
from reflexarc.perception.tasks.pose.movenet import MoveNet

Image = npt.NDArray[np.uint8]
CONVOLUTIONAL = {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "RESIZE_BILINEAR", "QUANTIZE"}


class FloatModel:
    """The Keras model behind the same two calls as a model file."""

    def __init__(self, model: keras.Model, card: Card) -> None:
        self.model, self.card = model, card
        self._call = tf.function(model, reduce_retracing=True)

    def run(self, sample: Image) -> tuple[npt.NDArray[np.float32], ...]:
        return self.read(sample, tuple)

    def read(self, sample: Image, reader: Callable[[Sequence[Any]], Any]) -> Any:
        values = (sample[None].astype(np.float32) - 127.5) / 127.5
        return reader([np.asarray(output) for output in self._call(tf.constant(values))])


@pytest.fixture(scope="module")
def exact(model: keras.Model, data: Dataset) -> FloatModel:
    return FloatModel(model, card_of(FAMILY, data))


@pytest.fixture(scope="module")
def small(exact: FloatModel, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Model:
    representative = (data.train.inputs.astype(np.float32) - 127.5) / 127.5
    flatbuffer = convert(exact.model, "int8", representative, FAMILY.input)
    path = tmp_path_factory.mktemp("movenet") / "movenet-int8.tflite"
    card = exact.card.model_copy(update={"quantization": "int8"})
    path.write_bytes(pack(flatbuffer, card))
    return load_model(path)


def test_the_file_is_small_and_nothing_but_convolutions(small: Model) -> None:
    assert small.path.stat().st_size <= 3_200_000
    contents = read_contents(small.path)
    assert set(contents.ops) <= CONVOLUTIONAL
    assert {tensor.dtype for tensor in contents.inputs + contents.outputs} == {"uint8"}
    assert len({tensor.scale for tensor in contents.outputs}) == 4


def test_keypoints_stay_where_the_float_model_puts_them(
    small: Model, exact: FloatModel, data: Dataset
) -> None:
    photos = [*data.test.inputs, *data.validation.inputs]
    parity = compare(*([MoveNet(model).pose(p) for p in photos] for model in (exact, small)))
    assert parity.bodies >= 20
    assert parity.pck >= 0.95


def test_keypoints_stay_on_clips_that_nothing_was_chosen_by(
    small: Model, exact: FloatModel, shared_data: Path
) -> None:
    photos = [
        np.ascontiguousarray(frame[40:290, 200:590])
        for name in ("sport_with_ai_situp.gif", "push_up.gif", "squat.gif")
        for frame in clip_frames(shared_data / "situps" / name, 12)
    ] + list(clip_frames(shared_data / "situps" / "walk.mp4", 12))
    photos = [fit(photo, INPUT) for photo in photos]
    parity = compare(*([MoveNet(model).pose(p) for p in photos] for model in (exact, small)))
    assert parity.bodies >= 40
    assert parity.pck >= 0.95
    assert parity.mean_px <= 4


def test_points_are_pixels_of_the_picture_whatever_its_shape(small: Model, data: Dataset) -> None:
    eye = MoveNet(small)
    photo = data.test.inputs[15]
    before = eye.pose(photo)
    wide = cv2.copyMakeBorder(cv2.resize(photo, (576, 576)), 0, 0, 100, 100, cv2.BORDER_REFLECT)
    after = eye.pose(wide.astype(np.uint8))
    assert before is not None and after is not None
    after.points[:] = (after.points - (100, 0)) / 3
    assert np.median(distances(before, after)) < 0.15 * before.torso_px


def test_following_sees_a_small_body_as_well_as_a_close_look(small: Model, data: Dataset) -> None:
    clip = assets.fetch(CLIP) / "demo.mp4"
    frames = list(clip_frames(clip, 230))[90:94]
    eye = MoveNet(small, track=True)
    x, y = 700, 300
    # The walker is the nearest to the middle of this part of the picture.
    followed = [eye.pose(np.ascontiguousarray(frame[y:994, x:1400])) for frame in frames][-1]
    near = MoveNet(small).pose(np.ascontiguousarray(frames[-1][y:994, x:1400]))
    assert followed is not None and near is not None
    assert np.median(distances(near, followed)) < 0.2 * near.torso_px
    assert followed.scores.mean() > near.scores.mean()


def test_nobody_is_an_answer(small: Model) -> None:
    assert MoveNet(small).pose(np.full((120, 200, 3), 90, np.uint8)) is None


def test_a_folder_gives_its_photos_and_clips_as_the_test_set(
    data: Dataset, shared_data: Path
) -> None:
    given = load(shared_data / "situps")
    assert len(given.test) == 4 * 20
    np.testing.assert_array_equal(given.train.inputs, data.train.inputs)


def test_a_folder_without_photos_is_refused_and_a_damaged_one_is_listed(
    data: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(PhotosError, match="none that can be read among 1 files"):
        load(tmp_path)
    cv2.imwrite(str(tmp_path / "good.png"), np.zeros((20, 30, 3), np.uint8))
    given = load(tmp_path)
    assert len(given.test) == 1
    assert set(given.skipped) == {"broken.jpg"}
