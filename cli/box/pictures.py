"""What the boards of a scenario show: digits, faces with and without a mask, people, a film.

All come from packages that `reflexarc assets` fetches, or from a folder of photos that the
user has. Each picture is made once and kept in the cache.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError, atomic_write, cache_dir
from reflexarc.models import assets
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.frame import Frame
from reflexarc.perception.tasks import open_task
from reflexarc.perception.tasks.faces.face import LEFT_EYE, MOUTH, RIGHT_EYE
from reflexarc.sim.pictures import digit_card
from reflexarc.sim.scenario import Scenario
from reflexarc.sim.things import Picture

Image = npt.NDArray[np.uint8]
_T = TypeVar("_T")

_VERSION = "1"
"""To be changed with what makes the pictures."""
_FACE_PX = 256
_LOOKS = 20
"""So often the mask task looks at a drawn mask; its votes need some frames."""
_PEOPLE = (
    ("people-photos", "studio-2.jpg", (160, 130, 320, 620)),
    ("people-photos-2", "charles.jpg", (120, 300, 660, 900)),
    ("people-photos-2", "kal-visuals.jpg", (60, 100, 840, 1300)),
)
"""Photos of one person each, and the part around that person: left, top, width, height."""
_CLIPS = {"situp": Path("situps", "sport_with_ai_situp.gif")}
_MASK_COLOUR = (150, 190, 215)


class MissingPictureError(ReflexarcError):
    """A picture that a scenario needs and that this machine does not have."""


def fill(scenario: Scenario, data: Path | None = None) -> Path:
    """A folder with everything that the boards of a scenario show.

    Args:
        scenario: says what is needed.
        data: a folder of the user's with ``mask/with_mask`` (photos of faces) and
            ``situps/``; what is not there is drawn, or missing.

    Raises:
        MissingPictureError: a film that no package carries, or no such number.
        AssetError: a package cannot be fetched.
    """
    whence = "packages" if data is None else str(data.expanduser().resolve())
    digest = hashlib.sha256(f"{_VERSION} {whence}".encode()).hexdigest()[:12]
    folder = cache_dir("box-pictures", digest)
    for picture in _named(scenario):
        try:
            _provide(picture, folder, data)
        except MissingPictureError:
            if not picture.optional:
                raise
    return folder


def _named(scenario: Scenario) -> Iterable[Picture]:
    for board in scenario.boards.values():
        yield from board.pictures


def _provide(picture: Picture, folder: Path, data: Path | None) -> None:
    if picture.clip is not None:
        _clip(picture.clip, folder, data)
        return
    if picture.file is not None or picture.blank is not None:
        return
    path = folder / f"{picture.title.replace(' ', '_')}.png"
    if path.is_file():
        return
    if picture.digit is not None:
        image = _digit(picture.digit)
    elif picture.portrait is not None:
        image = _portrait(picture.portrait)
    elif picture.masked is not None:
        image = _masked(picture.masked, data)
    else:
        assert picture.person is not None
        image = _person(picture.person)
    with atomic_write(path) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def _digit(number: int) -> Image:
    """The first one of the test digits: not chosen."""
    from reflexarc.models.mnist import load_mnist

    mnist = load_mnist()
    return digit_card(mnist.test_images[np.flatnonzero(mnist.test_labels == number)[0]])


def _portrait(number: int) -> Image:
    files = sorted(assets.fetch("portraits").iterdir())
    image = read_picture(_nth(files, number, "portrait"))
    side = (_FACE_PX, _FACE_PX)
    return np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_CUBIC), np.uint8)


def _masked(number: int, data: Path | None) -> Image:
    """A photo of the user's; else a portrait with a surgical mask drawn on.

    Raises:
        MissingPictureError: the mask task does not see the drawn mask.
    """
    photos = sorted((data / "mask" / "with_mask").glob("*")) if data is not None else []
    if photos:
        return read_picture(_nth(photos, number, "masked"))
    image = with_mask(_portrait(number))
    task = open_task("mask")
    wall = np.full((480, 640, 3), 130, np.uint8)
    wall[112 : 112 + _FACE_PX, 192 : 192 + _FACE_PX] = image
    for seq in range(_LOOKS):
        seen = task.process(Frame(wall, seq * 100_000_000, seq, "drawn mask"))
    if [face.label for face in seen.detections] != ["mask"]:
        raise MissingPictureError(
            expected=f"masked {number}: portrait {number} with a mask that the mask task sees",
            found=", ".join(face.label for face in seen.detections) or "no face",
            remedy="take another number, or give photos of masked faces with --data",
        )
    return image


def with_mask(portrait: Image) -> Image:
    """A face with a surgical mask drawn over nose, mouth and chin.

    Args:
        portrait: uint8, RGB, one face from the front.

    Raises:
        MissingPictureError: there is no face.
    """
    width = portrait.shape[1]
    wide = cv2.copyMakeBorder(portrait, *(width // 4,) * 4, cv2.BORDER_REPLICATE)
    seen = open_task("faces").process(Frame(np.asarray(wide, np.uint8), 0, 0, "portrait"))
    if not seen.detections:
        raise MissingPictureError(
            expected="a face to draw a mask on", found="none", remedy="take another portrait"
        )
    points = np.array([point[:2] for point in seen.detections[0].keypoints]) - width // 4
    eyes, mouth = (points[RIGHT_EYE] + points[LEFT_EYE]) / 2, points[MOUTH]
    across = (points[LEFT_EYE] - points[RIGHT_EYE]) / 2
    down = mouth - eyes

    def at(x: float, y: float) -> npt.NDArray[np.float64]:
        """From between the eyes: half an eye distance, and the way to the mouth."""
        return np.asarray(eyes + x * across + y * down)

    outline = [
        at(*xy)
        for xy in ((-1.75, 0.4), (0, 0.3), (1.75, 0.4), (1.5, 1.35), (0, 1.75), (-1.5, 1.35))
    ]
    image = portrait.copy()
    cv2.fillPoly(image, [np.rint(outline).astype(np.int32)], _MASK_COLOUR, cv2.LINE_AA)
    thick = max(1, width // 128)
    shade = tuple(round(0.85 * channel) for channel in _MASK_COLOUR)
    for y in (0.75, 1.0, 1.25):  # its pleats
        ends = [np.rint(at(x, y)).astype(np.int32).tolist() for x in (-1.35, 1.35)]
        cv2.line(image, ends[0], ends[1], shade, thick, cv2.LINE_AA)
    return image


def _person(number: int) -> Image:
    name, file, (x, y, width, height) = _nth(_PEOPLE, number, "person")
    image = read_picture(assets.fetch(name) / file)
    return np.ascontiguousarray(image[y : y + height, x : x + width])


def _clip(name: str, folder: Path, data: Path | None) -> None:
    known = _CLIPS.get(name)
    path = None if known is None or data is None else data / known
    if path is None or not path.is_file():
        raise MissingPictureError(
            expected=f"the film {name}"
            + (f", {known} in a folder of data" if known is not None else ""),
            found="none that a package carries" if data is None else f"nothing like that in {data}",
            remedy="give the folder with --data",
        )
    target = folder / f"{name}{path.suffix}"
    if not target.is_file():
        with atomic_write(target) as temporary:
            shutil.copyfile(path, temporary)


def _nth(things: Sequence[_T], number: int, what: str) -> _T:
    if not 1 <= number <= len(things):
        raise MissingPictureError(
            expected=f"{what} 1 to {len(things)}", found=str(number), remedy="take one of these"
        )
    return things[number - 1]
