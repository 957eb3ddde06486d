"""Where frames come from, behind one line: ``open_camera(source)``.

A kind of camera is a class, named by an entry point of the group ``reflexarc.cameras``
whose name is the scheme of its sources: a `Device` for what is live, which is all that
there is to write, or a `FileCamera` for what can wait.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reflexarc.core import PluginError, load_plugin, plugins
from reflexarc.perception.cameras.base import (
    Camera,
    CameraError,
    CorruptFrame,
    Device,
    FileCamera,
    Shot,
)
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.live import LiveCamera
from reflexarc.perception.cameras.options import GIVEN, Option, Size, options_of, read_options
from reflexarc.perception.cameras.picture import read_picture
from reflexarc.perception.cameras.source import parse_source, without_password
from reflexarc.perception.cameras.statistics import CameraStatistics, Health, Outage

__all__ = [
    "CLOCK",
    "Camera",
    "CameraError",
    "CameraKind",
    "CameraStatistics",
    "Clock",
    "CorruptFrame",
    "Device",
    "FileCamera",
    "Health",
    "LiveCamera",
    "Option",
    "Outage",
    "Shot",
    "Size",
    "camera_kinds",
    "live_options",
    "open_camera",
    "read_picture",
    "without_password",
]

GROUP = "reflexarc.cameras"


def open_camera(source: str | Path, *, clock: Clock = CLOCK, **options: Any) -> Camera:
    """Open whatever `source` names.

    Args:
        source: a path of a video, a picture or a folder of pictures; a number or
            ``/dev/video0``; ``rtsp://…`` or ``http://…``; ``picamera2:``, ``sim:``,
            ``ros:/topic``, ``synthetic:``; or the scheme of any other plug-in. Options may
            follow, ``clip.mp4?loop=1&start=12.5``, after a ``#`` in an URL.
        clock: the time, for tests.
        options: the camera's own, see `camera_kinds`; they go before those in `source`.

    Raises:
        CameraError: no such source, device or option; it cannot be opened or read.
        PluginError: no such kind of camera, or one that does not load.
    """
    text = str(source)
    found = parse_source(text)
    name = without_password(text)
    make = _load(found.kind)
    is_device = issubclass(make, Device)
    own = options_of(make)
    shared = _live_options() if is_device else {}
    values = read_options(found.kind, {**found.options, **options}, {**own, **shared})
    if not is_device:
        opened: Camera = make(found.address, **values, **_given(make, clock=clock))
        return opened
    mine = {key: value for key, value in values.items() if key in own}
    stall = values.get("stall", shared["stall"].default)

    def open_device(seq: int) -> Device:
        given = _given(make, clock=clock, stall=stall, seq=seq)
        device: Device = make(found.address, **mine, **given)
        return device

    rest = {key: value for key, value in values.items() if key in shared}
    return LiveCamera(open_device, name, **rest, clock=clock)


@dataclass(frozen=True)
class CameraKind:
    """A kind of camera, for help and `reflexarc doctor`.

    Attributes:
        name: of the plug-in, which is the scheme of its sources.
        usage: how its sources are written.
        text: what it is, in a sentence.
        live: a `Device`: it has `live_options` besides its own.
        options: its own.
        missing: what has to be installed first, as an order; None if nothing.
    """

    name: str
    usage: str
    text: str
    live: bool = False
    options: tuple[Option, ...] = ()
    missing: str | None = None


def camera_kinds() -> tuple[CameraKind, ...]:
    """Every installed kind of camera, in alphabetical order."""
    return tuple(_kind(name) for name in plugins(GROUP))


def live_options() -> tuple[Option, ...]:
    """The options that all live cameras have."""
    return tuple(_live_options().values())


def _live_options() -> dict[str, Option]:
    return options_of(LiveCamera, hidden=("clock",))


def _load(kind: str) -> Any:
    make = load_plugin(GROUP, kind, "camera")
    if isinstance(make, type) and issubclass(make, (Device, FileCamera)):
        return make
    raise PluginError(
        expected=f"the camera {kind} to be a class, a Device or a FileCamera",
        found=repr(make),
        remedy="correct the entry point in its package",
    )


def _kind(name: str) -> CameraKind:
    try:
        make = _load(name)
    except PluginError as error:
        return CameraKind(name, f"{name}:", error.found, missing=error.remedy)
    options = tuple(options_of(make).values())
    text = (make.__doc__ or "").strip().partition("\n")[0]
    usage = make.USAGE or f"{name}:"
    return CameraKind(name, usage, text, issubclass(make, Device), options, make.missing())


def _given(make: Any, **values: Any) -> dict[str, Any]:
    """Of the values that cameras may ask for, the ones that this one names."""
    names = inspect.signature(make).parameters
    return {name: value for name, value in values.items() if name in GIVEN and name in names}
