"""A folder of pictures as a camera."""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, FileCamera
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.picture import PICTURE_ENDINGS, paced_stamps, read_picture
from reflexarc.perception.frame import Frame

_NAMED = 3  # so many bad pictures are named in the error, the rest are counted


class PictureFolder(FileCamera):
    """All pictures of a folder and of the folders in it, in natural order.

    Natural order puts ``2.jpg`` before ``10.jpg``. Hidden files and folders, and
    files with other endings, are left out. A picture that cannot be read does not
    lose the others: iterating gives every good one, leaves a gap in `Frame.seq`
    for every bad one, and raises at the end, naming the bad ones. `failures`
    holds their errors.
    """

    USAGE: ClassVar[str] = "pictures/"

    def __init__(
        self,
        source: str,
        *,
        loop: Annotated[bool, Field(description="1: from the first again, without end")] = False,
        fps: Annotated[
            float, Field(ge=0, description="frames a second; 0: as fast as they are taken")
        ] = 0.0,
        clock: Clock = CLOCK,
    ) -> None:
        """List the folder.

        Raises:
            CameraError: it is not there, or holds no picture.
        """
        super().__init__(source, paced=fps > 0, clock=clock)
        self._loop, self._fps = loop, fps
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

    def frames(self) -> Generator[Frame, None, None]:
        """One frame a picture; `Frame.source` is the picture's path.

        Raises:
            CameraError: at the end of the first round, if any picture could not be read.
        """
        self.failures = []
        bad: list[str] = []
        paths = itertools.cycle(self.paths) if self._loop else self.paths
        stamps = paced_stamps(self._clock, self._fps)
        for seq, (path, stamp_ns) in enumerate(zip(paths, stamps, strict=False)):
            if bad and seq == len(self.paths):
                break
            try:
                image = read_picture(path)
            except CameraError as error:
                self.failures.append(error)
                bad.append(str(path))
                continue
            yield Frame(image, stamp_ns, seq, str(path))
        if bad:
            more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
            raise CameraError(
                expected=f"{len(self.paths)} whole pictures in {self.source!r}",
                found=f"{len(bad)} unreadable: {', '.join(bad[:_NAMED])}{more} "
                f"(the first: {self.failures[0].found})",
                remedy="replace or delete them; all others were read",
            )

    def _bad(self) -> int:
        return len(self.failures)


def _is_picture(name: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and path.suffix.lower() in PICTURE_ENDINGS and path.is_file()


def _natural(name: Path) -> list[tuple[int, int, str]]:
    """Numbers in the name by value, the rest by letter, folder by folder."""
    pieces = re.split(r"(\d+)", "\0".join(name.parts))
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p) for p in pieces if p]
