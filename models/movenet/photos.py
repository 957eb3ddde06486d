"""Photos for MoveNet: packaged ones to calibrate on, others to measure on.

No label is needed: an INT8 file is measured against its own float model. The
packaged photos were chosen by looking at them: there are people in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from reflexarc.core import ReflexarcError
from reflexarc.models import assets
from reflexarc.models.family import Dataset, Images, Split
from reflexarc.models.pictures import SUFFIXES, PictureError, read
from reflexarc.perception.card import DataSource, InputSpec
from reflexarc.perception.fit import fit
from reflexarc.perception.keypoints import COCO_KEYPOINTS

INPUT = InputSpec(width=192, height=192, color="rgb", mean=127.5, std=127.5, fit="pad")

CLIPS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".gif")
FRAMES_PER_CLIP = 20
MOST = 400
"""Pictures of a folder that are measured on: spread evenly over its files."""

CALIBRATION, CHOICE, CLIP = "people-photos", "people-photos-2", "walking-clip"
# Part of the clip's picture in which bodies are large enough for the net (y, x).
_NEAR = (slice(300, 994), slice(700, 1400))


class PhotosError(ReflexarcError):
    """A folder without usable photos or clips."""


def load(folder: Path | None = None) -> Dataset:
    """Photos as MoveNet takes them, uint8 (n, 192, 192, 3), RGB, padded to a square.

    ``train`` is for calibration: 19 packaged photos, each as it is, mirrored, and
    smaller in the frame. ``validation`` are other packaged photos. ``test`` is all
    photos and clips below `folder` (at most MOST, 20 frames of a clip), or frames of
    a packaged clip. Labels are zeros.

    Raises:
        AssetError: the packaged photos cannot be fetched.
        PhotosError: nothing in `folder` can be read.
    """
    train = np.stack([v for image in _packaged(CALIBRATION) for v in _variants(image)])
    validation = np.stack([fit(image, INPUT) for image in _packaged(CHOICE)])
    skipped: dict[str, str] = {}
    if folder is None:
        frames = list(clip_frames(assets.fetch(CLIP) / "demo.mp4", 2 * FRAMES_PER_CLIP))
        test = np.stack([fit(np.ascontiguousarray(frame[_NEAR]), INPUT) for frame in frames])
        name, licence = "packaged photos and clip of people", "MIT, BSD-3-Clause"
    else:
        test = _folder(folder, skipped)
        name, licence = f"packaged photos; tested on {folder.name}", "MIT; as given"
    rows = assets.table()
    source = DataSource(
        name=name,
        version=", ".join(f"{rows[n].package} {rows[n].version}" for n in (CALIBRATION, CHOICE)),
        licence=licence,
        train_size=len(train),
        test_size=len(test),
    )
    return Dataset(
        train=_split(train),
        validation=_split(validation),
        test=_split(test),
        labels=COCO_KEYPOINTS,
        source=source,
        skipped=skipped,
    )


def clip_frames(path: Path, count: int) -> Iterator[Images]:
    """At most `count` frames of a clip or animation, evenly spread: uint8 RGB (h, w, 3).

    Gives nothing where the file is no clip.
    """
    clip = cv2.VideoCapture(str(path))
    try:
        total = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(np.linspace(0, max(0, total - 1), count).astype(int).tolist())
        for index in range(total):
            if not clip.grab():
                return
            if index in wanted:
                whole, frame = clip.retrieve()
                if whole:
                    yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    finally:
        clip.release()


def _folder(folder: Path, skipped: dict[str, str]) -> Images:
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in {*SUFFIXES, *CLIPS} and path.is_file()
    ]
    clips = [path for path in files if path.suffix.lower() in CLIPS]
    photos = [path for path in files if path not in set(clips)]
    spread = np.linspace(0, len(photos) - 1, min(MOST, len(photos))).astype(int)
    inputs: list[Images] = []
    for path in [photos[i] for i in spread]:
        try:
            inputs.append(fit(read(path, enough=INPUT.width)[0], INPUT))
        except (PictureError, OSError) as error:
            skipped[str(path.relative_to(folder))] = str(error)
    for path in clips:
        frames = [fit(frame, INPUT) for frame in clip_frames(path, FRAMES_PER_CLIP)]
        if not frames:
            skipped[str(path.relative_to(folder))] = "no clip that OpenCV can read"
        inputs += frames
    if not inputs:
        raise PhotosError(
            expected=f"photos or clips ({' '.join(sorted({*SUFFIXES, *CLIPS}))})",
            found=f"none that can be read among {len(files)} files below {folder}",
            remedy="give a folder with photos of people",
        )
    return np.stack(inputs)


def _packaged(asset: str) -> list[Images]:
    return [read(path, enough=INPUT.width)[0] for path in sorted(assets.fetch(asset).iterdir())]


def _variants(image: Images) -> Iterator[Images]:
    """As it is, mirrored, and at 0.6 of the size in the middle."""
    whole = fit(image, INPUT)
    yield whole
    yield np.ascontiguousarray(whole[:, ::-1])
    margin = round(INPUT.width * 0.2)
    small = cv2.resize(whole, (INPUT.width - 2 * margin,) * 2, interpolation=cv2.INTER_AREA)
    yield cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REFLECT_101).astype(
        np.uint8, copy=False
    )


def _split(inputs: Images) -> Split:
    return Split(inputs, np.zeros(len(inputs), np.int64))
