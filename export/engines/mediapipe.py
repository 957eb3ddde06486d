"""MediaPipe Tasks' ImageClassifier: reads labels and normalisation from the file's metadata."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
import numpy.typing as npt
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions

from reflexarc.export.engines.registry import EngineError
from reflexarc.perception.card import Card, InputSpec

Scores = npt.NDArray[np.float32]


class MediaPipeClassifier:
    """An ImageClassifier whose categories are put back into the order of the labels."""

    def __init__(self, classifier: Any, card: Card) -> None:
        """Use `open_model`."""
        self.card = card
        self._classifier = classifier
        # Left to the end of the process, it would close itself after its library has gone.
        weakref.finalize(self, classifier.close)

    def run(self, sample: npt.NDArray[Any]) -> tuple[Scores, ...]:
        """Scores of one picture: uint8 (h, w, 3) RGB -> float32 (1, labels)."""
        picture = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(sample)
        )
        (head,) = self._classifier.classify(picture).classifications
        scores = np.zeros((1, len(self.card.labels)), np.float32)
        for category in head.categories:
            scores[0, category.index] = category.score
        return (scores,)


def open_model(path: Path, card: Card, threads: int) -> MediaPipeClassifier:
    """Load a ``.tflite`` file of an RGB classifier; MediaPipe chooses its threads itself."""
    if not isinstance(card.input, InputSpec) or card.input.color != "rgb" or len(card.outputs) > 1:
        raise EngineError(
            expected="a classifier of RGB pictures, which is all MediaPipe's takes",
            found=f"{card.name} in {path}",
            remedy="choose another engine for it",
        )
    options = ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(path)))
    return MediaPipeClassifier(ImageClassifier.create_from_options(options), card)
