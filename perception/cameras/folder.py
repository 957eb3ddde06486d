"""A folder of pictures as a camera."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from reflexarc.perception.cameras.base import Camera, CameraError
from reflexarc.perception.cameras.picture import PICTURE_ENDINGS, read_picture
from reflexarc.perception.frame import Frame

_NAMED = 3  # so many bad pictures are named in the error, the rest are counted


class PictureFolder(Camera):
    """All pictures of a folder and of the folders in it, in natural order.

    Natural order puts ``2.jpg`` before ``10.jpg``. Hidden files and folders, and
    files with other endings, are left out. A picture that cannot be read does not
    lose the others: iterating gives every good one, leaves a gap in `Frame.seq`
    for every bad one, and raises at the end, naming the bad ones. `failures`
    holds their errors.
    """

    @classmethod
    def recognises(cls, source: str) -> bool:
        """An existing folder."""
        return Path(source).expanduser().is_dir()

    def __init__(self, source: str) -> None:
        """List the folder.

        Raises:
            CameraError: it holds no picture.
        """
        self.source = source
        self.failures: list[CameraError] = []
        folder = Path(source).expanduser()
        self.paths = sorted(
            (path for path in folder.rglob("*") if _is_picture(path.relative_to(folder), path)),
            key=lambda path: _natural(path.relative_to(folder)),
        )
        if not self.paths:
            raise CameraError(
                expected=f"pictures ({' '.join(sorted(PICTURE_ENDINGS))})",
                found=f"none in the folder {source!r}",
                remedy="name a folder that holds pictures",
            )

    def __len__(self) -> int:
        """How many pictures there are, readable or not."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame]:
        """One frame a picture; `Frame.source` is the picture's path.

        Raises:
            CameraError: at the end, if any picture could not be read.
        """
        self.failures = []
        bad: list[str] = []
        for seq, path in enumerate(self.paths):
            try:
                image = read_picture(path)
            except CameraError as error:
                self.failures.append(error)
                bad.append(str(path))
                continue
            yield Frame(image, time.monotonic_ns(), seq, str(path))
        if bad:
            more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
            raise CameraError(
                expected=f"{len(self.paths)} whole pictures in {self.source!r}",
                found=f"{len(bad)} unreadable: {', '.join(bad[:_NAMED])}{more} "
                f"(the first: {self.failures[0].found})",
                remedy="replace or delete them; all others were read",
            )


def _is_picture(name: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and path.suffix.lower() in PICTURE_ENDINGS and path.is_file()


def _natural(name: Path) -> list[tuple[int, int, str]]:
    """Numbers in the name by value, the rest by letter, folder by folder."""
    pieces = re.split(r"(\d+)", "\0".join(name.parts))
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p) for p in pieces if p]
