"""What a frozen net answers to photos: computed once, a batch at a time."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.core import atomic_write, cache_dir
from reflexarc.models.backbone import Backbone
from reflexarc.models.family import Images, Split
from reflexarc.models.training import real_values
from reflexarc.perception.card import InputSpec

BATCH = 32

Features = npt.NDArray[np.float32]


def release(inputs: npt.NDArray[Any]) -> None:
    """Let go of mapped pages; they remain in the system's file cache while there is room."""
    mapped = getattr(inputs, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def features(
    backbone: Backbone,
    spec: InputSpec,
    split: Split,
    vary: tuple[Callable[[Images, np.random.Generator], Images], tuple[int, int]] | None = None,
    tell: Callable[[int], object] = lambda done: None,
) -> Features:
    """Pooled answers of the frozen net, (n, channels), from the cache if they are there.

    Args:
        backbone: the net.
        spec: its input.
        split: the photos.
        vary: an augmentation and its seed; such features are not cached.
        tell: is called with the number of photos done.
    """
    digest = _digest(backbone, split)
    cached = cache_dir("features") / f"{digest}.npy"
    if vary is None and cached.is_file():
        tell(len(split))
        known: Features = np.load(cached)
        return known
    out = np.empty((len(split), backbone.model.output_shape[-1]), np.float32)
    for first in range(0, len(split), BATCH):
        images = np.asarray(split.inputs[first : first + BATCH])
        if vary is not None:
            images = vary[0](images, np.random.default_rng((*vary[1], first)))
        answer = backbone.model.predict_on_batch(real_values(spec, images))
        out[first : first + len(images)] = np.asarray(answer).mean(axis=(1, 2))
        release(split.inputs)
        tell(len(images))
    if vary is None:
        with atomic_write(cached) as temporary, temporary.open("wb") as file:
            np.save(file, out)
    return out


def _digest(backbone: Backbone, split: Split) -> str:
    digest = hashlib.sha256()
    for array in backbone.model.get_weights():
        digest.update(array.tobytes())
    for first in range(0, len(split), 512):
        digest.update(np.ascontiguousarray(split.inputs[first : first + 512]).data)
        release(split.inputs)
    return digest.hexdigest()[:24]


def answers(model: keras.Model, spec: InputSpec, inputs: npt.NDArray[Any]) -> Features:
    """Scores (n, classes) of raw pictures, a batch at a time."""
    found = [
        np.asarray(model.predict_on_batch(real_values(spec, np.asarray(batch))))
        for first in range(0, len(inputs), BATCH)
        for batch in [inputs[first : first + BATCH]]
    ]
    release(inputs)
    return np.concatenate(found)
