from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import colours
import pytest

from reflexarc.core import cache_dir

MEDIAPIPE = "mediapipe==1.2.2"


@pytest.fixture(scope="session")
def mediapipe_site() -> Path:
    """A folder with MediaPipe in it, for the PYTHONPATH of another process.

    Without its dependencies: it would bring a second OpenCV under the same name, and
    ours serves it as well.
    """
    folder = cache_dir("peers") / MEDIAPIPE
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            whole = Path(temporary) / "whole"
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            subprocess.run([*command, "--target", str(whole), MEDIAPIPE], check=True)
            whole.rename(folder)
    return folder


@pytest.fixture(scope="session")
def colour_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The net of `colours` as "keras", "float32", "int8" (.tflite) and "onnx"."""
    return colours.files(tmp_path_factory.mktemp("colours"))
