"""Fit the finder to made-up scenes.

The scenes are small, the net is convolutional: what it has learnt on them it does on a
whole sheet.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from rich.progress import Progress

from reflexarc.models.digit_finder.network import BOX, build, targets
from reflexarc.models.digit_finder.scenes import SIDE, Scenes
from reflexarc.models.family import History, Options
from reflexarc.models.training import progress_bar
from reflexarc.perception.tasks.digits.sheet import CELL, HEIGHT, WIDTH

SCENES, EPOCHS, BATCH, LEARNING_RATE = 100_000, 8, 64, 4e-3

_FOCUS = 2.0
"""Exponent of the focal loss (Lin et al. 2017, arXiv:1708.02002): nearly all cells are easy."""

Outputs = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def train(scenes: Scenes, options: Options, count: int = SCENES) -> tuple[keras.Model, History]:
    """Fit a net for sheets to `count` scenes; 15 minutes on two cores.

    Returns:
        The net for (HEIGHT, WIDTH) sheets without optimizer, and its loss by epoch.
    """
    keras.utils.set_random_seed(options.seed)
    epochs = options.epochs or EPOCHS
    batches = _Batches(scenes, count, options.seed)
    model = build(SIDE, SIDE)
    schedule = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE, decay_steps=epochs * len(batches), alpha=0.01
    )
    model.compile(keras.optimizers.Adam(schedule), loss=[score_loss, box_loss])
    with progress_bar(options.console) as progress:
        fitted = model.fit(
            batches,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=[_live(progress, epochs, len(batches))],
        )
    whole = build(HEIGHT, WIDTH)
    whole.set_weights(model.get_weights())
    return whole, {name: [float(v) for v in values] for name, values in fitted.history.items()}


def _live(progress: Progress, epochs: int, steps: int) -> keras.callbacks.Callback:
    """Draws the fit on a bar, or says each epoch's loss in a log."""
    bar = progress.add_task("train digit-finder", total=epochs * steps, score="epoch 1")

    def say(epoch: int, logs: dict[str, float]) -> None:
        score = f"epoch {epoch + 1}/{epochs} loss {logs['loss']:.3f}"
        progress.update(bar, score=score)
        if not progress.console.is_terminal:
            progress.console.print(score)

    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: progress.advance(bar), on_epoch_end=say
    )


def score_loss(truth: Any, said: Any) -> Any:
    """Focal loss of the scores by the number of digits; cells of truth -1 do not count."""
    counts = ops.cast(truth >= 0, "float32")
    wanted = ops.maximum(truth, 0.0)
    said = ops.clip(said, 1e-5, 1 - 1e-5)
    right = wanted * said + (1 - wanted) * (1 - said)
    each = -ops.power(1 - right, _FOCUS) * ops.log(right) * counts
    return ops.sum(each) / (1.0 + ops.sum(ops.cast(truth > 0, "float32")))


def box_loss(truth: Any, said: Any) -> Any:
    """Mean distance of place, size and polarity where a digit is: there, polarity is not 0."""
    here = ops.cast(truth[..., BOX - 1 :] != 0, "float32")
    return ops.sum(ops.abs(truth - said) * here) / (1.0 + BOX * ops.sum(here))


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The same scenes in another order in each epoch: drawing takes longer than learning."""

    def __init__(self, scenes: Scenes, count: int, seed: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        rng = np.random.default_rng(seed)
        cells = SIDE // CELL
        self._images = np.empty((count, SIDE, SIDE, 1), np.uint8)
        self._scores = np.empty((count, cells, cells, 1), np.int8)
        self._boxes = np.empty((count, cells, cells, BOX), np.float16)
        for i in range(count):
            image, marks = scenes.draw(rng)
            self._images[i, ..., 0] = image
            self._scores[i], self._boxes[i] = targets(marks, SIDE, SIDE)
        self._rng = rng
        self._order = rng.permutation(count)

    def __len__(self) -> int:
        """Whole batches in an epoch."""
        return max(1, len(self._order) // BATCH)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.float32], Outputs]:
        """Pictures in 0..1 and targets."""
        chosen = self._order[index * BATCH : (index + 1) * BATCH]
        values = self._images[chosen].astype(np.float32) / np.float32(255)
        boxes = self._boxes[chosen].astype(np.float32)
        # Other lamps, and each scene as its negative.
        gain, level = self._rng.uniform((0.5, 0.0), (1.0, 1.0), (len(chosen), 2)).T
        values = values * gain[:, None, None, None] + ((1 - gain) * level)[:, None, None, None]
        negative = self._rng.random(len(chosen)) < 0.5
        values[negative] = 1 - values[negative]
        boxes[negative, ..., BOX - 1] *= -1
        return values.astype(np.float32), (self._scores[chosen].astype(np.float32), boxes)

    def on_epoch_end(self) -> None:
        """Draw another order."""
        self._order = self._rng.permutation(len(self._order))
