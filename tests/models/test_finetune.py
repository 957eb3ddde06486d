"""Two phases on a small untrained net and pictures that two colours tell apart."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from reflexarc.models import folders, transfer
from reflexarc.models.family import Dataset, Options, Trained
from reflexarc.perception.card import InputSpec

SPEC = InputSpec(width=32, height=32, color="rgb", mean=127.5, std=127.5)
FIRST = "top"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("home")
        patched.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def data(home: Path) -> Dataset:
    rng = np.random.default_rng(0)
    for label, channel, count in (("blue", 2, 16), ("red", 0, 40)):
        (home / "d" / label).mkdir(parents=True)
        for i in range(count):
            image = rng.integers(0, 120, (24, 32, 3), np.uint8)
            image[..., channel] += 130
            Image.fromarray(image).save(home / "d" / label / f"{i}.png")
    return folders.load(home / "d", SPEC)


@pytest.fixture(scope="module")
def backbone() -> Any:
    """Two blocks of convolution and BatchNorm; only the top one will be trained."""
    import keras
    from keras import layers

    from reflexarc.models.backbone import Backbone

    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((32, 32, 3))
    for name, channels in (("low", 8), ("top", 16)):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(name=f"{name}_BN")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    return Backbone(keras.Model(inputs, x), "untrained")


def fit(data: Dataset, backbone: Any, seed: int = 0, **changes: Any) -> tuple[Trained, str]:
    import keras
    import tensorflow as tf

    from reflexarc.models.finetune import Plan, two_phase

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    net = keras.models.clone_model(backbone.model)
    net.set_weights(backbone.model.get_weights())
    plan = Plan("small", transfer.vary, unfreeze=FIRST, head_epochs=6, epochs=1, **changes)
    console = Console(file=io.StringIO(), width=200)
    fresh = dataclasses.replace(backbone, model=net)
    trained = two_phase(plan, fresh, SPEC, data, Options(seed=seed, console=console))
    assert isinstance(console.file, io.StringIO)
    return trained, console.file.getvalue()


@pytest.fixture(scope="module")
def once(data: Dataset, backbone: Any) -> tuple[Trained, str]:
    return fit(data, backbone, head_rate=0.05)


def test_the_result_is_a_classifier_of_the_folder_s_classes(
    once: tuple[Trained, str],
) -> None:
    trained, said = once
    assert trained.model.name == "small"
    assert trained.model.output_shape == (None, 2)
    assert "frozen head after" in said
    assert set(trained.history) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert trained.notes["pipeline_share"] > 0


def test_the_same_seed_gives_the_same_weights_bit_for_bit(
    data: Dataset, backbone: Any, once: tuple[Trained, str]
) -> None:
    again, _ = fit(data, backbone, head_rate=0.05)
    for a, b in zip(once[0].model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_only_the_top_blocks_are_fine_tuned_and_no_batchnorm(backbone: Any, data: Dataset) -> None:
    from reflexarc.models import finetune

    plan = finetune.Plan("small", transfer.vary, unfreeze=FIRST, epochs=1)
    model = finetune.classifier(plan, backbone, 2)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    finetune._fit_top(plan, model, SPEC, data, Options(console=Console(quiet=True)), {0: 1, 1: 1})
    moved = {
        layer.name
        for layer in model.layers
        for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert moved == {"top", "score"}


def test_rare_classes_weigh_more() -> None:
    from reflexarc.models.finetune import class_weights

    weights = class_weights(np.array([0, 0, 0, 1]), 2)
    assert weights == {0: pytest.approx(4 / 6), 1: pytest.approx(2.0)}


def test_features_are_computed_once(data: Dataset, backbone: Any, home: Path) -> None:
    from reflexarc.models import features

    first = features.features(backbone, SPEC, data.train)
    files = {p: p.stat().st_mtime_ns for p in (home / "reflexarc" / "features").iterdir()}
    assert np.array_equal(features.features(backbone, SPEC, data.train), first)
    assert {p: p.stat().st_mtime_ns for p in files} == files
    # What is cached is used: a marked file comes back.
    path = home / "reflexarc" / "features" / f"{features._digest(backbone, data.train)}.npy"
    np.save(path, first + 1)
    assert np.array_equal(features.features(backbone, SPEC, data.train), first + 1)
    path.unlink()


def test_varied_features_differ_and_are_not_cached(
    data: Dataset, backbone: Any, home: Path
) -> None:
    from reflexarc.models import features

    plain = features.features(backbone, SPEC, data.train)
    files = {*(home / "reflexarc" / "features").iterdir()}
    varied = [
        features.features(backbone, SPEC, data.train, (transfer.vary, (0, i))) for i in (1, 1, 2)
    ]
    assert np.array_equal(varied[0], varied[1])
    assert not np.array_equal(varied[0], plain)
    assert not np.array_equal(varied[0], varied[2])
    assert {*(home / "reflexarc" / "features").iterdir()} == files


def test_mapped_photos_do_not_stay_in_memory(data: Dataset) -> None:
    from reflexarc.models.features import release

    inputs = data.train.inputs
    assert isinstance(inputs, np.memmap)
    before = np.array(inputs)

    def resident() -> int:
        kilobytes, inside = 0, False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            if "-" in line.split()[0] and not line.split()[0].endswith(":"):
                inside = line.endswith("inputs.u8")
            elif inside and line.startswith("Rss:"):
                kilobytes += int(line.split()[1])
        return kilobytes

    assert resident() > 0
    release(inputs)
    assert resident() == 0
    assert np.array_equal(inputs, before)


def test_the_pictures_show_confusion_and_heat(data: Dataset, once: tuple[Trained, str]) -> None:
    from reflexarc.models.photo_report import pictures

    made = pictures(once[0].model, SPEC, data)
    assert set(made) == {"confusion-validation.png", "gradcam.png"}
    assert all(png.startswith(b"\x89PNG") for png in made.values())
