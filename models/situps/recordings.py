"""Recordings of real people: keypoints over time, phases by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from reflexarc.core import ReflexarcError
from reflexarc.models.situps.sequences import Sequence
from reflexarc.perception.keypoints import COCO_KEYPOINTS, Pose
from reflexarc.perception.tasks.situps.cycle import PHASES


class RecordingError(ReflexarcError):
    """A recording that cannot be trained on."""


def recordings(folder: Path) -> list[Sequence]:
    """Read every ``*.npz`` of a folder.

    A recording holds ``points`` (t, 17, 2) px and ``scores`` (t, 17) as in
    `Pose`, ``stamps_ns`` (t,) rising, and ``phases`` (t,), names of PHASES.
    Its counts are not needed for training and stay 0.

    Raises:
        RecordingError: there is none, or one is not of this form.
    """
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise RecordingError(
            expected="a folder with recordings (*.npz)",
            found=f"none in {folder}",
            remedy="leave the folder out to train on the body model alone",
        )
    return [_read(path) for path in paths]


def _read(path: Path) -> Sequence:
    try:
        with np.load(path, allow_pickle=False) as archive:
            parts = {name: archive[name] for name in ("points", "scores", "stamps_ns", "phases")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _wrong(path, str(error)) from error
    points, scores, stamps, phases = parts.values()
    n, joints = len(stamps), len(COCO_KEYPOINTS)
    shapes = [part.shape for part in parts.values()]
    if n == 0 or shapes != [(n, joints, 2), (n, joints), (n,), (n,)]:
        raise _wrong(path, f"shapes {shapes}")
    if (np.diff(stamps) <= 0).any() or not set(phases.tolist()) <= set(PHASES):
        raise _wrong(path, "stamps that do not rise, or unknown phases")
    poses = [
        Pose(p.astype(np.float32), s.astype(np.float32))
        for p, s in zip(points, scores, strict=True)
    ]
    codes = np.array([PHASES.index(name) for name in phases.tolist()])
    return Sequence([*poses], [int(s) for s in stamps], codes, 0, 0, path.stem)


def _wrong(path: Path, found: str) -> RecordingError:
    return RecordingError(
        expected="points (t, 17, 2), scores (t, 17), stamps_ns (t,) and phases (t,) in an .npz",
        found=f"{found} in {path}",
        remedy="record it again, or take it out of the folder",
    )
