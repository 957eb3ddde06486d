"""V4L2: what the kernel really says of things that are no camera, and a fake of one that is.

This kernel, like most in containers, has neither a camera nor v4l2loopback: the ioctls and
OpenCV's capture are stood in for, everything else (files, rights, processes) is real.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from programs import run_program

from reflexarc.perception.cameras import CameraError, open_camera, v4l2
from reflexarc.perception.cameras.synthetic import Synthetic, read_counter

NOBODY = 65534


# --- what is really there ---


def test_a_camera_that_is_not_there_is_said_with_the_remedy() -> None:
    for source in ("/dev/video97", "97", "v4l2:/dev/video97", "v4l2:97"):
        with pytest.raises(CameraError, match=r"no /dev/video97"):
            open_camera(source)


def test_what_is_no_camera_is_said(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    file.write_bytes(b"no device")
    for path in (file, tmp_path, "/dev/null", "/dev/zero"):
        with pytest.raises(CameraError, match="which is no camera"):
            open_camera(f"v4l2:{path}")
    with pytest.raises(CameraError, match="a V4L2 camera; found no"):
        open_camera(f"v4l2:{file}/deeper")


def test_no_rights_are_said_with_the_group_to_join(tmp_path: Path) -> None:
    # Not below tmp_path, whose parents only its owner may enter.
    path = Path(f"/tmp/reflexarc-no-rights-{os.getpid()}")
    path.write_bytes(b"")
    path.chmod(0)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(NOBODY)
        with pytest.raises(CameraError, match=r"Permission denied.*usermod -aG video"):
            open_camera(f"v4l2:{path}")
    finally:
        if is_root:
            os.seteuid(0)
        path.unlink()


# --- a camera that is stood in for ---


class Kernel:
    """Answers the ioctls of one camera, on a plain file."""

    def __init__(self) -> None:
        self.captures, self.busy, self.buffers = True, False, 0

    def ioctl(self, device: int, request: int, argument: bytearray) -> int:
        if request == 0x80685600:
            here = 0x1 if self.captures else 0x00800000  # capture, or metadata
            argument[16:48] = b"Fake Cam".ljust(32, b"\0")
            struct.pack_into("=2I", argument, 84, 0x80000000 | 0x1 | 0x00800000, here)
            return 0
        assert request == 0xC0145608
        if self.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        (self.buffers,) = struct.unpack_from("=I", argument)
        return 0


class Capture:
    """OpenCV's capture of that camera."""

    opened: ClassVar[list[Capture]] = []
    works: ClassVar[bool] = True
    acts: ClassVar[list[Callable[[Capture], bool]]] = []

    def __init__(self, path: str, backend: int) -> None:
        assert backend == cv2.CAP_V4L2
        self.path, self.settings, self.released = path, [], False
        self.scene = Synthetic(size=(320, 240), pace="fast")
        self.stamp_ns = 0
        Capture.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.works

    def set(self, property_: int, value: float) -> bool:
        self.settings.append((property_, value))
        return True

    def grab(self) -> bool:
        time.sleep(0.001)
        self.stamp_ns = time.monotonic_ns() - 7_000_000
        return self.acts.pop(0)(self) if self.acts else True

    def get(self, property_: int) -> float:
        assert property_ == cv2.CAP_PROP_POS_MSEC
        return self.stamp_ns * 1e-6

    def retrieve(self) -> tuple[bool, Any]:
        shot = self.scene.read()
        assert shot is not None
        return True, np.ascontiguousarray(shot.image[..., ::-1])

    def release(self) -> None:
        self.released = True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(v4l2, "ioctl", kernel.ioctl)
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    monkeypatch.setattr(Capture, "opened", [])
    monkeypatch.setattr(Capture, "acts", [])
    monkeypatch.setattr(Capture, "works", True)
    return kernel


@pytest.fixture
def device(tmp_path: Path, kernel: Kernel) -> Path:
    path = tmp_path / "video0"
    path.write_bytes(b"")
    return path


def test_frames_are_rgb_and_stamped_by_the_driver(device: Path) -> None:
    with open_camera(f"v4l2:{device}", queue=3) as camera:
        frames = list(islice(camera, 3))
        now_ns = time.monotonic_ns()
    assert all(read_counter(frame.image) == frame.seq for frame in frames)
    red, _, blue = frames[0].image[120, 10].astype(int)
    assert red > blue + 30
    assert all(now_ns - frame.stamp_ns >= 7_000_000 for frame in frames)
    assert Capture.opened[0].released


def test_the_conversion_to_rgb_is_the_only_copy(device: Path, monkeypatch) -> None:
    camera = v4l2.V4l2(str(device))
    converted: list[Any] = []
    convert = cv2.cvtColor

    def counted(*args: Any) -> Any:
        converted.append(convert(*args))
        return converted[-1]

    monkeypatch.setattr(cv2, "cvtColor", counted)
    for _ in range(5):
        assert np.shares_memory(camera.read().image, converted[-1])
    assert len(converted) == 5
    camera.close()


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("", []),
        ("size=640x480", [(3, 640), (4, 480)]),
        (
            "size=1280x720&fps=30",
            [(6, cv2.VideoWriter.fourcc(*"MJPG")), (3, 1280), (4, 720), (5, 30.0)],
        ),
        (
            "size=1280x720&format=YUYV",
            [(6, cv2.VideoWriter.fourcc(*"YUYV")), (3, 1280), (4, 720)],
        ),
    ],
)
def test_format_size_and_rate_are_asked_for_in_this_order(
    device: Path, options: str, settings: list[tuple[int, float]]
) -> None:
    with open_camera(f"v4l2:{device}?{options}"):
        assert Capture.opened[0].settings == settings


def test_a_link_as_udev_makes_it_is_followed(device: Path) -> None:
    link = device.with_name("usb-camera")
    link.symlink_to(device)
    with open_camera(f"v4l2:{link}"):
        assert Capture.opened[0].path == str(device)


def test_the_probing_leaves_no_buffers_behind(device: Path, kernel: Kernel) -> None:
    with open_camera(f"v4l2:{device}"):
        assert kernel.buffers == 0


def test_a_node_that_gives_only_metadata_is_said(device: Path, kernel: Kernel) -> None:
    kernel.captures = False
    with pytest.raises(CameraError, match="only metadata"):
        open_camera(f"v4l2:{device}")


@pytest.fixture
def holder(device: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that has the device open."""
    hold = "import sys; f = open(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"
    with run_program(
        [sys.executable, "-c", hold, str(device)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield process
        process.communicate(b"")


def test_a_camera_taken_by_another_program_is_said_with_its_name(
    device: Path, kernel: Kernel, holder: subprocess.Popen[bytes]
) -> None:
    kernel.busy = True
    with pytest.raises(CameraError, match=rf"another program has it: .*process {holder.pid}\)"):
        open_camera(f"v4l2:{device}")
    kernel.busy = False
    Capture.works = False
    with pytest.raises(CameraError, match=rf"process {holder.pid}\); close that program"):
        open_camera(f"v4l2:{device}")


def test_a_camera_that_is_unplugged_and_plugged_in_again_is_opened_again(device: Path) -> None:
    def unplug(capture: Capture) -> bool:
        device.unlink()
        return False

    with open_camera(f"v4l2:{device}") as camera:
        frames = iter(camera)
        next(frames)
        Capture.acts.append(unplug)
        while camera.statistics().failures == 0:
            time.sleep(0.005)
        device.write_bytes(b"")
        while camera.statistics().recoveries == 0:
            time.sleep(0.005)
        next(frames)
        (outage,) = camera.statistics().outages
        assert outage.what == "it was unplugged"
        assert Capture.opened[0].released


def test_a_frame_that_does_not_decode_is_left_out(device: Path, monkeypatch) -> None:
    times = iter(range(1000))
    monkeypatch.setattr(
        Capture,
        "retrieve",
        lambda self: (True, np.zeros((0, 0, 3) if next(times) == 1 else (4, 4, 3), np.uint8)),
    )
    with open_camera(f"v4l2:{device}", queue=3) as camera:
        while camera.statistics().captured < 3:
            time.sleep(0.005)
        statistics = camera.statistics()
    assert (statistics.bad, statistics.failures) == (1, 0)
