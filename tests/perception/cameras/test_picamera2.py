"""The Raspberry Pi's camera, through a fake of picamera2 that keeps its rules."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

import numpy as np
import pytest
from fake_picamera2 import Rig, install

from reflexarc.perception.cameras import CameraError, camera_kinds, open_camera
from reflexarc.perception.cameras.picamera2 import PiCamera
from reflexarc.perception.cameras.synthetic import read_counter


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    rig = Rig()
    install(rig, monkeypatch)
    return rig


def in_buffer(image: Any, camera: Any) -> bool:
    return any(np.shares_memory(image, buffer) for buffer in camera.buffers)


def test_frames_are_rgb_and_stamped_by_the_sensor(rig: Rig) -> None:
    with open_camera("picamera2:?size=320x240", queue=4) as camera:
        frames = list(islice(camera, 5))
    assert [frame.image.shape for frame in frames] == [(240, 320, 3)] * 5
    assert all(read_counter(frame.image) == frame.seq for frame in frames)
    red, _, blue = frames[0].image[120, 10].astype(int)
    assert red > blue + 30  # the first of the synthetic bars
    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    for frame in frames:
        assert abs(frame.stamp_ns - (rig.sensor_ns[frame.seq] - asleep)) < 1_000_000


def test_nothing_is_copied_or_converted_until_the_buffers_run_short(rig: Rig) -> None:
    device = PiCamera(size=(320, 240))
    held = [device.read().image for _ in range(5)]
    assert [in_buffer(image, rig.last) for image in held] == [True, True, True, False, False]
    assert [read_counter(image) for image in held] == [0, 1, 2, 3, 4]
    assert rig.released == 2
    for number in range(5, 50):  # those that are held stay as they are
        device.read()
        assert read_counter(held[0]) == 0, number
    del held
    assert in_buffer(device.read().image, rig.last)
    device.close()


def test_a_view_of_a_frame_keeps_its_buffer(rig: Rig) -> None:
    device = PiCamera(size=(320, 240))
    corner = device.read().image[:30, ::2]
    strip = corner.copy()
    for _ in range(20):
        device.read()
    assert np.array_equal(corner, strip)
    del corner
    device.read()
    assert rig.released >= 20
    device.close()


def test_a_frame_outlives_its_camera(rig: Rig) -> None:
    with open_camera("picamera2:?size=320x240") as camera:
        frame = next(iter(camera))
    assert read_counter(frame.image) == frame.seq


def test_every_request_is_released_once(rig: Rig) -> None:
    device = PiCamera(size=(320, 240))
    for _ in range(100):
        device.read()
    device.close()
    assert rig.released == 100


def test_padded_rows_are_made_contiguous(rig: Rig) -> None:
    with open_camera("picamera2:?size=100x64") as camera:
        frame = next(iter(camera))
    assert rig.last.stride > 300
    assert frame.image.flags.c_contiguous
    assert read_counter(frame.image) == frame.seq


def test_frames_of_its_own_can_be_asked_for(rig: Rig) -> None:
    device = PiCamera(size=(320, 240), copy=True)
    assert not in_buffer(device.read().image, rig.last)
    device.close()


def test_controls_reach_libcamera(rig: Rig) -> None:
    source = (
        "picamera2:?size=320x240&fps=15&exposure=5000&gain=2.5&hflip=1&af=continuous"
        "&controls=Sharpness:1.5,AwbEnable:0"
    )
    with open_camera(source) as camera:
        frame = next(iter(camera))
    configuration = rig.last.configuration
    assert configuration["controls"] == {
        "FrameRate": 15.0,
        "ExposureTime": 5000,
        "AnalogueGain": 2.5,
        "AfMode": 2,
        "Sharpness": 1.5,
        "AwbEnable": 0.0,
    }
    assert not configuration["queue"]
    assert read_counter(frame.image) is None
    assert read_counter(np.ascontiguousarray(frame.image[:, ::-1])) == frame.seq


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("picamera2:?controls=Sharpnes:1", "did you mean Sharpness"),
        ("picamera2:?controls=Sharpness", "controls"),
        ("picamera2:?exposure=long", "exposure"),
        ("picamera2:?af=always", "'manual', 'auto' or 'continuous'"),
        ("picamera2:?expsure=100", "did you mean exposure"),
        ("picamera2:2", "libcamera sees 1"),
        ("picamera2:front", "'front'"),
        ("picamera2:?size=321x240", "even"),
    ],
)
def test_what_is_wrong_is_said(rig: Rig, source: str, says: str) -> None:
    with pytest.raises(CameraError, match=says):
        open_camera(source)
    assert all(camera.closed for camera in rig.opened)


def test_a_second_camera_has_the_number_1(rig: Rig) -> None:
    rig.cameras = 2
    with open_camera("picamera2:1?size=320x240"):
        assert rig.last.number == 1


def test_no_camera_or_one_that_is_taken_is_said_with_the_remedy(rig: Rig) -> None:
    rig.busy = True
    with pytest.raises(CameraError, match=r"resource busy; close the program that uses it"):
        open_camera("picamera2:")
    rig.cameras = 0
    with pytest.raises(CameraError, match=r"libcamera sees 0; check the ribbon cable"):
        open_camera("picamera2:")


def test_a_loose_cable_is_an_outage(rig: Rig) -> None:
    with open_camera("picamera2:?size=320x240&stall=0.2") as camera:
        frames = iter(camera)
        next(frames)
        rig.loose = True
        while camera.statistics().failures == 0:
            time.sleep(0.01)
        rig.loose = False
        while camera.statistics().recoveries == 0:
            time.sleep(0.01)
        assert next(frames).image.shape == (240, 320, 3)
        assert rig.opened[0].closed
        assert len(rig.opened) >= 2


def test_closing_wakes_it(rig: Rig) -> None:
    with open_camera("picamera2:?size=320x240&stall=30") as camera:
        next(iter(camera))
        rig.loose = True
    while not rig.last.closed:
        time.sleep(0.01)


def test_without_picamera2_it_says_how_to_get_it() -> None:
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        open_camera("picamera2:")
    kinds = {kind.name: kind for kind in camera_kinds()}
    assert "apt install python3-picamera2" in (kinds["picamera2"].missing or "")
