"""What all cameras that OpenCV reads share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from reflexarc.perception.cameras.base import Image

# Read by OpenCV when it opens a stream: what FFmpeg would print about a broken file, or
# with the password of an URL, is said in our own errors.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

_lock = threading.Lock()
_quiet = 0
_level = 0


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from printing its guesses about what does not open. In any thread."""
    global _quiet, _level
    logging = cv2.utils.logging
    with _lock:
        _quiet += 1
        if _quiet == 1:
            _level = logging.getLogLevel()
            logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        with _lock:
            _quiet -= 1
            if _quiet == 0:
                logging.setLogLevel(_level)


def to_rgb(bgr: object) -> Image:
    """OpenCV's order turned into ours; the one copy that it costs."""
    return np.asarray(cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB), np.uint8)
