"""Where the finder's scenes come from: MNIST's training digits, packaged photos, a folder's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models import assets
from reflexarc.models.clutter import clutter
from reflexarc.models.digit_finder.backgrounds import Backgrounds
from reflexarc.models.digit_finder.scenes import Scenes
from reflexarc.models.emoji import emoji_folder
from reflexarc.models.mnist import Mnist, load_mnist
from reflexarc.models.pictures import SUFFIXES, PictureError, read
from reflexarc.perception.card import DataSource
from reflexarc.perception.tasks.digits.sheet import FRAME_WIDTH

Gray = npt.NDArray[np.uint8]

PHOTOS = ("people-photos", "people-photos-2", "portraits")
"""Packages of photos without handwritten digits."""

_HELD_OUT = 12
"""Every so many digits and photos are for the test alone."""
_CLUTTER = 6000
_LARGE = 300  # pixels: from here a photo has several parts worth showing
_OFTEN = 8  # and is taken this much oftener than an emoji or a portrait


@dataclass(frozen=True)
class Sources:
    """What scenes are made of: for training, and for the test.

    Attributes:
        train, test: they share no digit and no photo.
        source: what the card says of them; its sizes are of scenes, and set later.
    """

    train: Scenes
    test: Scenes
    source: DataSource


def sources(folder: Path | None = None, seed: int = 0) -> Sources:
    """Fetch and read everything.

    Args:
        folder: further photos without handwritten digits, wherever below it.
        seed: decides the clutter.

    Raises:
        AssetError: a package cannot be fetched.
    """
    photos = list(_packaged())
    if folder is not None:
        photos += [photo for path in sorted(folder.rglob("*")) for photo in _photo(path)]
    mnist = load_mnist()
    held_out = np.arange(len(mnist.train_images)) % _HELD_OUT == 0
    rng = np.random.default_rng(seed)
    return Sources(
        train=_scenes(mnist.train_images[~held_out], _except(photos), rng),
        test=_scenes(mnist.train_images[held_out], photos[::_HELD_OUT], rng),
        source=_source(mnist, folder),
    )


def _scenes(digits: Gray, photos: list[Gray], rng: np.random.Generator) -> Scenes:
    spoilt = digits[rng.choice(len(digits), min(_CLUTTER, len(digits)), replace=False)]
    return Scenes(digits, clutter(spoilt[..., None], rng)[..., 0], Backgrounds(photos))


def _except(photos: list[Gray]) -> list[Gray]:
    """Those that are not held out; large ones several times."""
    return [
        photo
        for i, photo in enumerate(photos)
        if i % _HELD_OUT
        for _ in range(_OFTEN if max(photo.shape) > _LARGE else 1)
    ]


def _packaged() -> Iterator[Gray]:
    for asset in PHOTOS:
        for path in sorted(assets.fetch(asset).iterdir()):
            yield from _photo(path)
    for path in sorted(emoji_folder().rglob("*.png"))[::3]:
        yield from _photo(path)


def _photo(path: Path) -> Iterator[Gray]:
    """One photo in grey, not larger than a frame; nothing where the file is none."""
    if path.suffix.lower() not in SUFFIXES:
        return
    try:
        image, _ = read(path, enough=FRAME_WIDTH)
    except (PictureError, OSError):
        return
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shrunk = FRAME_WIDTH / max(gray.shape)
    if shrunk < 1:
        gray = cv2.resize(gray, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    yield np.asarray(gray, np.uint8)


def _source(mnist: Mnist, folder: Path | None) -> DataSource:
    rows = [assets.table()[name] for name in (*PHOTOS, "emoji")]
    licences = [mnist.source.licence, *(row.licence for row in rows)]
    return DataSource(
        name=f"{mnist.source.name} on packaged photos" + (f" and {folder.name}" if folder else ""),
        version=", ".join(
            [mnist.source.version, *(f"{row.package} {row.version}" for row in rows)]
        ),
        licence=", ".join(dict.fromkeys(licences)) + (" and the photos' own" if folder else ""),
        train_size=0,
        test_size=0,
    )
