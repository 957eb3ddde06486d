"""What boards show: pictures and films, found by name in a folder.

A scenario names a picture by what it is (``digit: 5``, ``clip: situp``); the folder that a
run is given holds it as ``digit_5.png``, ``situp.gif``. So the simulation needs no data set.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.core import atomic_write
from reflexarc.perception.cameras import CameraError, open_camera, read_picture
from reflexarc.perception.cameras.video import VIDEO_ENDINGS
from reflexarc.sim.scenario_errors import ScenarioError
from reflexarc.sim.things import Picture

Image = npt.NDArray[np.uint8]

_LONGEST_PX = 512
"""Larger ones are shrunk: the robot's camera sees no more of it."""
_MOST_FRAMES = 2000
_CARD_PX, _CARD_MARGIN_PX = 256, 36
_PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True)
class Reel:
    """What a board shows over time; a still picture is a film of one frame.

    Attributes:
        frames: uint8, (height, width, 3), RGB, all of one shape.
        ends_s: when each frame ends, seconds since it was first shown.
    """

    frames: tuple[Image, ...]
    ends_s: tuple[float, ...]

    def number_at(self, seconds: float) -> int:
        """Which frame is shown; a film begins again at its end."""
        if len(self.frames) == 1:
            return 0
        return min(
            bisect.bisect_right(self.ends_s, seconds % self.ends_s[-1]), len(self.frames) - 1
        )


def still(image: Image) -> Reel:
    """A picture as a reel."""
    return Reel((image,), (1.0,))


PictureSource = Callable[[Picture], Reel | None]
"""Gives what a scenario names; None where there is none."""


class PictureFolder:
    """Pictures in a folder: ``digit_5.png``, ``portrait_3.jpg``, ``masked_1.png``,
    ``person_1.png``; ``situp.gif`` for the film of that name. A ``file`` is looked for there
    first, then at its own path.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def __call__(self, picture: Picture) -> Reel | None:
        """Read it.

        Raises:
            CameraError: it is there and cannot be read.
            ScenarioError: `crop` is outside of it.
        """
        if picture.blank is not None:
            colour = np.rint(np.array(picture.blank) * 255).astype(np.uint8)
            return still(np.broadcast_to(colour, (8, 8, 3)).copy())
        path = self._find(picture)
        if path is None:
            return None
        return _read(path, picture)

    def _find(self, picture: Picture) -> Path | None:
        if picture.file is not None:
            path = Path(picture.file).expanduser()
            places = [path] if self.folder is None else [self.folder / path, path]
        elif self.folder is None:
            return None
        elif picture.clip is not None:
            places = [self.folder / f"{picture.clip}{end}" for end in sorted(VIDEO_ENDINGS)]
        else:
            stem = picture.title.replace(" ", "_")
            places = [self.folder / f"{stem}{end}" for end in _PICTURE_ENDINGS]
        return next((place for place in places if place.is_file()), None)


def find_all(
    pictures: Iterable[Picture], source: PictureSource, where: str
) -> tuple[tuple[Reel | None, ...], list[str]]:
    """What is named, and the titles of what is missing and may be.

    Raises:
        ScenarioError: something is missing that is not optional; all of it is named.
    """
    pictures = tuple(pictures)
    reels = tuple(source(picture) for picture in pictures)
    lost = [picture for picture, reel in zip(pictures, reels, strict=True) if reel is None]
    needed = sorted({picture.title for picture in lost if not picture.optional})
    if needed:
        raise ScenarioError(
            expected=f"pictures for {where}: {', '.join(needed)}",
            found="none of that name",
            remedy=f"put {needed[0].replace('clip ', '').replace(' ', '_')}"
            f"{'.gif' if 'clip' in needed[0] else '.png'} and so on into a folder, "
            "and give it with --pictures",
        )
    return reels, sorted({picture.title for picture in lost})


def _read(path: Path, picture: Picture) -> Reel:
    if path.suffix.lower() not in VIDEO_ENDINGS:
        return still(_prepared(read_picture(path), picture, path))
    frames, stamps = [], []
    with open_camera(path) as camera:
        for frame in camera:
            frames.append(_prepared(frame.image, picture, path))
            stamps.append(frame.stamp_ns)
            if len(frames) > _MOST_FRAMES:
                raise CameraError(
                    expected=f"a film of at most {_MOST_FRAMES} frames",
                    found=f"more in {path}",
                    remedy="cut it",
                )
    lasting = [(b - a) * 1e-9 for a, b in pairwise(stamps)]
    lasting.append(float(np.median(lasting)) if lasting else 1.0)  # nothing says the last one's
    ends = np.cumsum(lasting) / picture.speed
    return Reel(tuple(frames), tuple(ends.tolist()))


def _prepared(image: Image, picture: Picture, path: Path) -> Image:
    """Cropped as the scenario says, and no larger than needed."""
    if picture.crop is not None:
        x, y, width, height = picture.crop
        full_height, full_width = image.shape[:2]
        if min(x, y) < 0 or min(width, height) < 1 or x + width > full_width:
            inside = False
        else:
            inside = y + height <= full_height
        if not inside:
            raise ScenarioError(
                expected=f"a crop inside {full_width} x {full_height} pixels of {path.name}",
                found=f"{x}, {y}, {width}, {height}",
                remedy="left, top, width, height",
            )
        image = image[y : y + height, x : x + width]
    shrink = _LONGEST_PX / max(image.shape[:2])
    if shrink < 1:
        size = (
            max(1, round(image.shape[1] * shrink)),
            max(1, round(image.shape[0] * shrink)),
        )
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(image)


def digit_card(digit: npt.NDArray[np.uint8]) -> Image:
    """A card with a handwritten digit: dark ink on white, RGB.

    Args:
        digit: uint8 (28, 28), light strokes on black, as MNIST has them.

    Returns:
        uint8, (256, 256, 3).
    """
    side = _CARD_PX - 2 * _CARD_MARGIN_PX
    large = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC)
    paper = np.full((_CARD_PX, _CARD_PX), 245, np.float32)
    ink = large.astype(np.float32)[..., None] / 255
    card = np.repeat(paper[..., None], 3, axis=2)
    inner = card[_CARD_MARGIN_PX:-_CARD_MARGIN_PX, _CARD_MARGIN_PX:-_CARD_MARGIN_PX]
    inner += (np.array([25, 30, 70], np.float32) - inner) * ink
    return np.clip(np.rint(card), 0, 255).astype(np.uint8)


def write_digit_cards(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.integer], folder: Path, skip: int = 0
) -> None:
    """Put a card of each digit into a folder of pictures.

    Args:
        images: uint8 (n, 28, 28), light strokes on black.
        labels: (n,), 0..9.
        folder: where ``digit_0.png`` to ``digit_9.png`` go.
        skip: so many of each digit are left out before one is taken.
    """
    for digit in range(10):
        chosen = images[np.flatnonzero(labels == digit)[skip]]
        write_picture(folder / f"digit_{digit}.png", digit_card(chosen))


def write_picture(path: Path, image: Image) -> None:
    """Write an RGB picture, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())
