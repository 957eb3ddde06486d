"""USB and other cameras that the Linux kernel knows (V4L2), read by OpenCV."""

from __future__ import annotations

import errno
import os
import struct
from fcntl import ioctl
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import cv2
from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, CorruptFrame, Device, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock, as_monotonic
from reflexarc.perception.cameras.opencv import quiet_opencv, to_rgb
from reflexarc.perception.cameras.options import Size

# linux/videodev2.h
_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
_REQBUFS = 0xC0145608  # _IOWR('V', 8, struct v4l2_requestbuffers)
_CAPTURE = 0x1 | 0x1000  # V4L2_CAP_VIDEO_CAPTURE, …_MPLANE
_HAS_DEVICE_CAPS = 0x80000000
_BUFFERS = struct.Struct("=5I")  # count, type, memory, capabilities, flags
_TYPE_CAPTURE, _MEMORY_MMAP = 1, 1

_YUYV_WIDTH = 640  # wider ones come slowly over USB 2 unless they are compressed


class V4l2(Device):
    """USB camera, or any other that shows up as /dev/video0."""

    USAGE: ClassVar[str] = "0, /dev/video0, /dev/v4l/by-id/…, v4l2: (the first)"

    def __init__(
        self,
        address: str = "",
        *,
        size: Annotated[
            Size | None, Field(description="width x height; the camera takes the nearest it has")
        ] = None,
        fps: Annotated[
            float | None, Field(gt=0, description="frames a second; the camera's own if left out")
        ] = None,
        format: Annotated[
            Literal["auto", "MJPG", "YUYV"],
            Field(description="on the wire; auto: MJPG when wider than 640"),
        ] = "auto",
        clock: Clock = CLOCK,
    ) -> None:
        """Open it.

        Raises:
            CameraError: there is none, it is no camera, no rights, or another program has it.
        """
        self._path = _device(address)
        _check(self._path)
        self._clock = clock
        with quiet_opencv():
            self._capture = cv2.VideoCapture(self._path, cv2.CAP_V4L2)
            if not self._capture.isOpened():
                self._capture.release()
                raise _taken(self._path, "it cannot be opened")
            if format == "auto" and size is not None and size[0] > _YUYV_WIDTH:
                format = "MJPG"
            # In this order: drivers offer sizes for a format, and rates for a size.
            if format != "auto":
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*format))
            if size is not None:
                self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
                self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
            if fps is not None:
                self._capture.set(cv2.CAP_PROP_FPS, fps)

    def read(self) -> Shot:
        """The next frame, stamped by its driver.

        Raises:
            CorruptFrame: it cannot be decoded.
            CameraError: none came: it was unplugged, or it hangs.
        """
        if not self._capture.grab():
            gone = not Path(self._path).exists()
            raise CameraError(
                expected=f"frames from {self._path}",
                found="it was unplugged" if gone else "it gives none",
                remedy="plug it in again" if gone else "unplug it and plug it in again",
            )
        now_ns = self._clock.now_ns()
        stamp_ns = as_monotonic(round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6), now_ns)
        ok, image = self._capture.retrieve()
        if not ok or image is None or not image.size:
            raise CorruptFrame(
                expected=f"a whole frame from {self._path}",
                found="one that cannot be decoded",
                remedy="use a shorter cable, or another USB port",
            )
        return Shot(to_rgb(image), stamp_ns)

    def close(self) -> None:
        """Give the device back."""
        self._capture.release()


def capture_devices() -> list[tuple[str, str]]:
    """Path and name of every V4L2 camera that can be opened here."""
    found = []
    numbers = (path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
    for number in sorted(int(number) for number in numbers if number.isdecimal()):
        path = f"/dev/video{number}"
        try:
            name, captures = _identify(path)
        except OSError:
            continue
        if captures:
            found.append((path, name))
    return found


def _device(address: str) -> str:
    if address:
        path = f"/dev/video{int(address)}" if address.isdecimal() else address
        return str(Path(path).resolve())  # by-id names are links
    devices = capture_devices()
    if not devices:
        raise _none("no V4L2 camera")
    return devices[0][0]


def _identify(path: str) -> tuple[str, bool]:
    """Name of a V4L2 device, and whether it gives frames (others give metadata)."""
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = bytearray(104)
        ioctl(device, _QUERYCAP, answer)
        name = bytes(answer[16:48]).split(b"\0")[0].decode(errors="replace")
        all_nodes, this_node = struct.unpack_from("=2I", answer, 84)
        captures = bool((this_node if all_nodes & _HAS_DEVICE_CAPS else all_nodes) & _CAPTURE)
        if captures:
            _probe_buffers(device)
        return name, captures
    finally:
        os.close(device)


def _probe_buffers(device: int) -> None:
    """Ask for one buffer and give it back: EBUSY while another program streams."""
    for count in (1, 0):
        try:
            ioctl(
                device,
                _REQBUFS,
                bytearray(_BUFFERS.pack(count, _TYPE_CAPTURE, _MEMORY_MMAP, 0, 0)),
            )
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise
            return  # a driver without such buffers; OpenCV will tell


def _check(path: str) -> None:
    """Say what is wrong with a device while the kernel still says it."""
    try:
        _, captures = _identify(path)
    except OSError as error:
        raise _explained(path, error) from error
    if not captures:
        raise _none(f"{path} gives no frames, only metadata")


def _explained(path: str, error: OSError) -> CameraError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return CameraError(
            expected=f"the right to use {path}",
            found=error.strerror or str(error),
            remedy="run `sudo usermod -aG video $USER`, then log out and in again",
        )
    if error.errno == errno.EBUSY:
        return _taken(path, "another program has it")
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
        return _none(f"no {path}")
    if error.errno in (errno.ENOTTY, errno.EISDIR, errno.EINVAL):
        return _none(f"{path}, which is no camera")
    return _none(f"{path}: {error.strerror or error}")


def _none(found: str) -> CameraError:
    devices = capture_devices()
    here = ", ".join(f"{path} ({name})" for path, name in devices)
    return CameraError(
        expected="a V4L2 camera",
        found=found,
        remedy=f"use one of these: {here}"
        if here
        else "plug it in; it shows up as /dev/video0 (a Raspberry Pi camera is picamera2:)",
    )


def _taken(path: str, found: str) -> CameraError:
    programs = ", ".join(_holders(path))
    return CameraError(
        expected=f"{path} to be free",
        found=f"{found}: {programs}" if programs else found,
        remedy="close that program; one camera serves one program at a time",
    )


def _holders(path: str) -> list[str]:
    """Programs that have a file open, as far as this user may know."""
    found = []
    target = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            if any(os.path.realpath(link) == target for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                found.append(f"{name} (process {process.name})")
        except OSError:
            continue  # ended meanwhile, or another user's
    return found
