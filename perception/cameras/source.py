"""What a user types for a camera, taken apart: kind, address, options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from reflexarc.core import plugins
from reflexarc.perception.cameras.base import CameraError
from reflexarc.perception.cameras.picture import PICTURE_ENDINGS
from reflexarc.perception.cameras.video import VIDEO_ENDINGS

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_V4L2 = re.compile(r"/dev/(video\d+|v4l/.+)")
_PASSWORD = re.compile(r"(?<=://)([^/?#@:]*):[^/?#]*@")


@dataclass(frozen=True)
class Source:
    """A source, taken apart.

    Attributes:
        kind: the name of the plug-in.
        address: what it is given: the whole of an URL, else what follows the scheme.
        options: as they were written.
    """

    kind: str
    address: str
    options: dict[str, str]


def parse_source(text: str) -> Source:
    """Take a source apart.

    ``kind:address?name=value&name=value`` (a name alone is a 1); an URL (``kind://…``)
    keeps its query, its options follow a ``#``. A number is a V4L2 device; anything else is
    a path, which may have options too, and tells its kind by what it is.

    Raises:
        CameraError: a path that is not there, or an ending that no camera reads.
    """
    if _exists(text):
        return Source(_kind_of(Path(text).expanduser()), text, {})
    is_url = "://" in text
    # The last of them: a file's name may have one too.
    head, mark, tail = text.rpartition("#" if is_url else "?")
    if not mark:
        head, tail = text, ""
    pairs = (part.partition("=") for part in tail.split("&") if part)
    options = {name: unquote(value) or "1" for name, _, value in pairs}
    if head.isdecimal():
        return Source("v4l2", f"/dev/video{int(head)}", options)
    if _V4L2.fullmatch(head):
        return Source("v4l2", head, options)
    if scheme := _SCHEME.match(head):
        return Source(scheme[1].lower(), head if is_url else head[scheme.end() :], options)
    if not _exists(head):
        raise CameraError(
            expected="a picture, a folder of pictures, a video, or a camera such as 0, "
            "rtsp://…, picamera2: (`reflexarc see --help` lists all)",
            found=f"no file or folder {head!r}",
            remedy="check the spelling, or give the full path",
        )
    return Source(_kind_of(Path(head).expanduser()), head, options)


def without_password(text: str) -> str:
    """The same with the password of an URL masked, for messages and records."""
    return _PASSWORD.sub(r"\1:***@", text)


def _exists(text: str) -> bool:
    if not text.strip() or text.isdecimal() or _V4L2.fullmatch(text):
        return False
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, no such user's home
        return False


def _kind_of(path: Path) -> str:
    if path.is_dir():
        return "folder"
    if path.suffix.lower() in PICTURE_ENDINGS:
        return "picture"
    if path.suffix.lower() in VIDEO_ENDINGS:
        return "video"
    if path.suffix[1:].lower() in plugins("reflexarc.cameras"):
        return path.suffix[1:].lower()  # run.mcap is mcap:run.mcap
    raise CameraError(
        expected="a folder, a recording (.mcap), a picture "
        f"({' '.join(sorted(PICTURE_ENDINGS))}) or a video ({' '.join(sorted(VIDEO_ENDINGS))})",
        found=repr(str(path)),
        remedy="convert the file to one of these",
    )
