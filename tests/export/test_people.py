"""MediaPipe Tasks' ObjectDetector loads the packaged pedestrian file, and finds our people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.models import assets
from reflexarc.models.people import photos
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.people.detector import Detector
from reflexarc.perception.tasks.people.metrics import compare

DETECT = """
import json, sys
import mediapipe, numpy as np
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ObjectDetectorOptions(
    base_options=BaseOptions(model_asset_path=sys.argv[1]), score_threshold=0.5
)
found = []
with vision.ObjectDetector.create_from_options(options) as detector:
    for picture in np.load(sys.argv[2]):
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
        boxes = [(d.bounding_box, d.categories[0]) for d in detector.detect(image).detections]
        found.append([
            [b.origin_x, b.origin_y, b.origin_x + b.width, b.origin_y + b.height, c.category_name]
            for b, c in boxes
        ])
print(json.dumps(found))
"""


def test_mediapipe_finds_the_people_that_the_detector_finds(
    mediapipe_site: Path, tmp_path: Path
) -> None:
    try:
        pictures = photos.test()[::3]
    except assets.AssetError as error:
        pytest.skip(f"the photos cannot be fetched: {error}")
    size = (photos.INPUT.width, photos.INPUT.height)  # so that nothing is resized
    inputs = np.stack([cv2.resize(picture, size) for picture in pictures])
    np.save(tmp_path / "inputs.npy", inputs)
    path = default_model_path("people")
    done = subprocess.run(
        [sys.executable, "-c", DETECT, str(path), str(tmp_path / "inputs.npy")],
        env={**os.environ, "PYTHONPATH": str(mediapipe_site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    detector = Detector(load_model(path, "cpu"))
    pairs = []
    for picture, found in zip(inputs, theirs, strict=True):
        assert {row[4] for row in found} <= {"person"}
        boxes = np.array([row[:4] for row in found], np.float32).reshape(-1, 4)
        pairs.append((detector.find(picture, 0.5)[0], boxes))
    parity = compare(pairs)
    assert parity.people >= 10
    assert parity.recall >= 0.9
    assert parity.mean_iou >= 0.8
