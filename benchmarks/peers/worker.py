"""Runs in the peers' environment: MediaPipe Tasks and supervision over our frames.

Imports nothing of reflexarc. What it prints is answers only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_calls: dict[str, Callable[[int], object]] = {}


def open_mediapipe(name: str, kind: str, model: str, frames: str) -> None:
    """Make a MediaPipe task ready in video mode, as its guide says for a camera's frames."""
    import mediapipe as mp

    vision = mp.tasks.vision
    base = mp.tasks.BaseOptions(model_asset_path=model)
    video = vision.RunningMode.VIDEO
    pictures = [mp.Image(image_format=mp.ImageFormat.SRGB, data=image) for image in np.load(frames)]
    options: dict[str, Any] = {"base_options": base, "running_mode": video}
    if kind == "ObjectDetector":
        options["score_threshold"] = 0.3
    task = getattr(vision, kind).create_from_options(getattr(vision, f"{kind}Options")(**options))
    look = task.classify_for_video if kind == "ImageClassifier" else task.detect_for_video
    _calls[name] = lambda turn: look(pictures[turn % len(pictures)], 33 * turn)


def open_supervision(name: str, kind: str, frames: str, boxes: str) -> None:
    """Make a part of supervision ready: boxes is float (turns, n, 4), x1, y1, x2, y2."""
    import supervision as sv

    every = np.load(boxes)
    pictures = np.load(frames)
    number = every.shape[1]

    def detections(turn: int) -> Any:
        return sv.Detections(
            xyxy=every[turn % len(every)].astype(np.float32),
            confidence=np.full(number, 0.9, np.float32),
            class_id=np.zeros(number, int),
            tracker_id=np.arange(number),
        )

    if kind == "counting":
        line = sv.LineZone(sv.Point(320, 0), sv.Point(320, 480))
        zone = sv.PolygonZone(np.array([[100, 100], [500, 100], [500, 400], [100, 400]]))
        _calls[name] = lambda turn: (line.trigger(detections(turn)), zone.trigger(detections(turn)))
    else:
        draw_boxes, draw_labels = sv.BoxAnnotator(), sv.LabelAnnotator()

        def draw(turn: int) -> object:
            found = detections(turn)
            labels = [f"#{track} person 90%" for track in found.tracker_id]
            scene = draw_boxes.annotate(pictures[turn % len(pictures)].copy(), found)
            return draw_labels.annotate(scene, found, labels)

        _calls[name] = draw


_turns: dict[str, int] = {}


def times(name: str, calls: int) -> list[float]:
    """Milliseconds of each of so many calls, the frames going on from where they were."""
    measured = []
    for _ in range(calls):
        _turns[name] = turn = _turns.get(name, -1) + 1
        start = time.perf_counter()
        _calls[name](turn)
        measured.append((time.perf_counter() - start) * 1e3)
    return measured


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries greet
    functions = {f.__name__: f for f in (open_mediapipe, open_supervision, times)}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": functions[request.pop("what")](**request)}
        except Exception as error:  # whatever it is, the other end says it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
