"""Where frames come from, behind one line: ``open_camera(source)``.

To add a camera: write one file with one subclass of `Camera`, and list the class
in CAMERAS.
"""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.cameras.base import Camera, CameraError
from reflexarc.perception.cameras.folder import PictureFolder
from reflexarc.perception.cameras.picture import PICTURE_ENDINGS, PictureFile, read_picture
from reflexarc.perception.cameras.video import VIDEO_ENDINGS, VideoFile

__all__ = [
    "CAMERAS",
    "Camera",
    "CameraError",
    "PictureFile",
    "PictureFolder",
    "VideoFile",
    "open_camera",
    "read_picture",
]

CAMERAS: tuple[type[Camera], ...] = (PictureFolder, PictureFile, VideoFile)
"""Asked in this order."""


def open_camera(source: str | Path) -> Camera:
    """Open whatever `source` names: a folder of pictures, a picture, a video.

    Raises:
        CameraError: no such path, an ending that no camera reads, an empty
            folder, an unreadable file.
    """
    name = str(source)
    for camera in CAMERAS:
        if camera.recognises(name):
            return camera(name)
    if not Path(name).expanduser().exists():
        raise CameraError(
            expected="a picture, a folder of pictures or a video",
            found=f"no file or folder {name!r}",
            remedy="check the spelling, or give the full path",
        )
    raise CameraError(
        expected="a folder, a picture "
        f"({' '.join(sorted(PICTURE_ENDINGS))}) or a video ({' '.join(sorted(VIDEO_ENDINGS))})",
        found=repr(name),
        remedy="convert the file to one of these",
    )
