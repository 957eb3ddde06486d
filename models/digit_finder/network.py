"""The net, for sheets of any size, and what it is trained towards.

It looks for digits of one narrow range of sizes, since a sheet holds every octave of the
frame. The sheet is seen as four columns side by side, so that the first convolution has
more than one channel to work on: INT8 kernels waste seven eighths of their time on one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reflexarc.models.digit_finder.scenes import Mark
from reflexarc.perception.tasks.digits.finder import UNIT
from reflexarc.perception.tasks.digits.sheet import CELL

if TYPE_CHECKING:
    import keras

SOUGHT = (11.0, 30.0)
"""Longest side of the strokes, pixels of an octave. Smaller and larger ones count neither
way, up to TOO_LARGE: beyond it, what lies in the middle of strokes is no digit."""
TOO_LARGE = 36.0

BOX = 5
"""Channels of the second output: see `reflexarc.perception.tasks.digits.finder`."""

_STEM, _WIDTH, _DEPTH = 16, 48, 3


def build(height: int, width: int) -> keras.Model:
    """Untrained model: (n, height, width, 1) in 0..1 -> score (n, h, w, 1), box (n, h, w, 5).

    One cell of the outputs for each CELL x CELL pixels. Each sees 68 pixels around it.
    """
    import keras
    from keras import layers

    def convolve(
        x: object, name: str, filters: int, size: tuple[int, int], **how: object
    ) -> object:
        x = layers.Conv2D(filters, size, padding="same", use_bias=False, name=name, **how)(x)
        x = layers.BatchNormalization(name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    image = keras.Input((height, width, 1), name="image")
    x = layers.Reshape((height, width // 4, 4), name="columns")(image)
    x = convolve(x, "stem", _STEM, (4, 3), strides=(4, 1))
    x = convolve(x, "down", _WIDTH, (3, 3), strides=2)
    for i in range(_DEPTH):
        x = convolve(x, f"conv{i + 1}", _WIDTH, (3, 3))
    # Most cells hold no digit: the untrained net says so, or its first steps are wasted.
    rare = keras.initializers.Constant(-4.0)
    score = layers.Conv2D(1, 1, activation="sigmoid", bias_initializer=rare, name="score")(x)
    box = layers.Conv2D(BOX, 1, name="box")(x)
    return keras.Model(image, [score, box], name="digit_finder")


def targets(
    marks: Iterable[Mark], height: int, width: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What the outputs should be for a picture of this size.

    Returns:
        Score (h, w, 1): 1 where a digit's middle is, 0 for nothing, -1 where either answer
        is fine. Box (h, w, 5).
    """
    rows, columns = height // CELL, width // CELL
    score = np.zeros((rows, columns, 1), np.float32)
    box = np.zeros((rows, columns, BOX), np.float32)
    middles_y, middles_x = ((np.arange(n) + 0.5) * CELL for n in (rows, columns))
    ordered = sorted(marks, key=lambda m: m.clear)  # clear ones overwrite
    for m in ordered:
        x, y, longest = m.x + m.width / 2, m.y + m.height / 2, max(m.width, m.height)
        off_x, off_y = x - middles_x, y - middles_y
        near = np.maximum(np.abs(off_x)[None], np.abs(off_y)[:, None])
        around = (near <= CELL / 2 + 0.25 * longest) & (score[..., 0] < 1)
        if longest > TOO_LARGE:
            continue
        score[around] = -1
        if m.clear:
            # Wherever the net may say so, in the wrong octave too, it has to tell the right box.
            i, j = np.nonzero(around)
            box[i, j, 0], box[i, j, 1] = off_x[j] / UNIT, off_y[i] / UNIT
            box[i, j, 2:4] = np.log2(np.maximum((m.width, m.height), 2.0) / UNIT)
            box[i, j, 4] = 1.0 if m.light else -1.0
        if m.clear and SOUGHT[0] <= longest <= SOUGHT[1]:
            score[near <= CELL / 2 + 0.06 * longest] = 1
    return score, box
