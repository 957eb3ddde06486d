"""What a classifier of photos gets right and wrong, and what it looked at."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.models import gradcam, plots
from reflexarc.models.family import Dataset
from reflexarc.models.features import answers
from reflexarc.models.training import real_values
from reflexarc.perception.card import InputSpec

_EXAMPLES = 10


def pictures(model: keras.Model, spec: InputSpec, data: Dataset) -> dict[str, bytes]:
    """The confusion matrix and Grad-CAM examples, of the validation photos."""
    scores = answers(model, spec, data.validation.inputs)
    best, truth = scores.argmax(axis=1), data.validation.labels
    matrix = np.zeros((len(data.labels),) * 2, np.int64)
    np.add.at(matrix, (truth, best), 1)
    sure = np.argsort(-scores.max(axis=1), kind="stable")
    rows = []
    shown = {
        "Wrong, the surest first: photo, what spoke for the answer": sure[
            best[sure] != truth[sure]
        ],
        "Right, the classes by turns: photo, what spoke for the answer": _by_turns(
            sure, best, truth
        ),
    }
    for heading, chosen in shown.items():
        chosen = chosen[:_EXAMPLES]
        if not len(chosen):
            continue
        images = np.asarray(data.validation.inputs[chosen])
        heats = gradcam.heat_maps(model, real_values(spec, images), best[chosen])
        captions = [
            f"{data.labels[best[i]]} {100 * scores[i, best[i]]:.0f} %"
            + (f"\nis {data.labels[truth[i]]}" if best[i] != truth[i] else "\n")
            for i in chosen
        ]
        plain = list(zip(images, captions, strict=True))
        lit = [(gradcam.overlay(i, h), "") for i, h in zip(images, heats, strict=True)]
        rows += [(heading, plain), ("", lit)]
    return {
        "confusion-validation.png": plots.confusion_matrix(matrix, data.labels),
        "gradcam.png": plots.picture_grid(rows),
    }


def _by_turns(
    sure: npt.NDArray[np.int64], best: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The right samples, the surest first, with the classes taking turns."""
    right = sure[best[sure] == truth[sure]]
    turn = np.empty(len(right), np.int64)
    for which in np.unique(truth[right]):
        mine = truth[right] == which
        turn[mine] = np.arange(mine.sum())
    ordered: npt.NDArray[np.int64] = right[np.argsort(turn, kind="stable")]
    return ordered
