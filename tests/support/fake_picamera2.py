"""What reflexarc uses of picamera2 0.3 and libcamera, without a camera.

Written after picamera2's source: a pool of buffers that requests own until they are
released, rows padded to the stride, formats named from the highest byte down ("BGR888" is
R, G, B in memory), controls that have to be advertised, calls that have to come in order.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as JobTimeoutError
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reflexarc.perception.cameras.synthetic import Synthetic


class Rig:
    """The camera behind the fake module, for a test to look at and to break."""

    def __init__(self, cameras: int = 1, align: int = 64) -> None:
        self.cameras = cameras
        self.align = align
        self.busy = self.loose = False
        self.opened: list[Any] = []
        self.released = 0
        self.sensor_ns: list[int] = []

    @property
    def last(self) -> Any:
        return self.opened[-1]


class Transform:
    def __init__(self, hflip: int = 0, vflip: int = 0) -> None:
        self.hflip, self.vflip = hflip, vflip


class Request:
    def __init__(self, camera: Any, index: int, sensor_ns: int) -> None:
        self.camera, self.index, self.sensor_ns = camera, index, sensor_ns
        self.references = 1

    def get_metadata(self) -> dict[str, Any]:
        assert self.references, "used after its release"
        return {"SensorTimestamp": self.sensor_ns, "ExposureTime": 10_000, "AnalogueGain": 1.0}

    def release(self) -> None:
        self.references -= 1
        if self.references < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.camera.rig.released += 1
        if self.camera.started:
            self.camera.free.append(self.index)


@contextmanager
def mapped_array(request: Request, stream: str, reshape: bool = True, write: bool = True) -> Any:
    assert stream == "main" and reshape and request.references
    camera = request.camera
    width, height = camera.configuration["main"]["size"]
    buffer = camera.buffers[request.index].reshape(height, camera.stride)
    yield SimpleNamespace(array=buffer[:, : width * 3].reshape(height, width, 3))


def modules(rig: Rig) -> tuple[ModuleType, ModuleType]:
    libcamera, picamera2 = ModuleType("libcamera"), ModuleType("picamera2")

    class Picamera2:
        def __init__(self, camera_num: int = 0) -> None:
            self.rig = rig
            if not 0 <= camera_num < rig.cameras:
                raise IndexError("list index out of range")
            if rig.busy:
                busy = RuntimeError("Failed to acquire camera: Device or resource busy")
                raise RuntimeError("Camera __init__ sequence did not complete.") from busy
            self.number = camera_num
            self.configuration: dict[str, Any] | None = None
            self.started = self.closed = False
            self.cancelled = threading.Event()
            self.camera_controls = {
                "FrameDurationLimits": (100, 1_000_000, 33333),
                "ExposureTime": (1, 66_666, 10_000),
                "AnalogueGain": (1.0, 16.0, 1.0),
                "AfMode": (0, 2, 0),
                "Sharpness": (0.0, 16.0, 1.0),
                "AwbEnable": (False, True, True),
            }
            rig.opened.append(self)

        @staticmethod
        def global_camera_info() -> list[dict[str, Any]]:
            return [{"Model": "imx708", "Num": n, "Id": f"/cam{n}"} for n in range(rig.cameras)]

        def create_video_configuration(
            self,
            main: dict[str, Any],
            transform: Transform,
            buffer_count: int = 6,
            controls: dict[str, Any] | None = None,
            queue: bool = True,
        ) -> dict[str, Any]:
            assert set(main) <= {"format", "size"}
            return {
                "main": main,
                "transform": transform,
                "buffer_count": buffer_count,
                "controls": dict(controls or {}),
                "queue": queue,
            }

        def configure(self, configuration: dict[str, Any]) -> None:
            if self.started:
                raise RuntimeError("Camera must be stopped before configuring")
            size = configuration["main"]["size"]
            if type(size) is not tuple or len(size) != 2:
                raise RuntimeError("size in main stream should be (width, height)")
            if size[0] % 2 or size[1] % 2:
                raise RuntimeError("width and height should be even")
            assert configuration["main"]["format"] in ("BGR888", "RGB888")
            for name in configuration["controls"]:
                if name != "FrameRate" and name not in self.camera_controls:
                    raise RuntimeError(f"Control {name} is not advertised by libcamera")
            self.configuration = configuration
            self.stride = -(-size[0] * 3 // rig.align) * rig.align
            count = configuration["buffer_count"]
            self.buffers = [np.zeros(size[1] * self.stride, np.uint8) for _ in range(count)]
            self.free = list(range(count))
            self.scene = Synthetic(size=size, pace="fast")

        def start(self) -> None:
            if self.configuration is None:
                raise RuntimeError("Camera has not been configured")
            self.started = True

        def capture_request(self, wait: float | None = None) -> Request:
            assert self.started and not self.closed
            end = time.monotonic() + (wait or 1e9)
            while rig.loose or not self.free:
                if self.cancelled.wait(0.001):
                    raise CancelledError
                if time.monotonic() > end:
                    raise JobTimeoutError
            index = self.free.pop(0)
            shot = self.scene.read()
            assert shot is not None and self.configuration is not None
            image = shot.image
            if self.configuration["transform"].hflip:
                image = image[:, ::-1]
            if self.configuration["transform"].vflip:
                image = image[::-1]
            if self.configuration["main"]["format"] == "RGB888":
                image = image[..., ::-1]
            rows = self.buffers[index].reshape(image.shape[0], self.stride)
            rows[:] = 0xEE
            rows[:, : image.shape[1] * 3] = image.reshape(image.shape[0], -1)
            sensor_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 8_000_000
            rig.sensor_ns.append(sensor_ns)
            return Request(self, index, sensor_ns)

        def cancel_all_and_flush(self) -> None:
            self.cancelled.set()

        def close(self) -> None:
            self.started, self.closed = False, True

    libcamera.Transform = Transform  # type: ignore[attr-defined]
    picamera2.Picamera2 = Picamera2  # type: ignore[attr-defined]
    picamera2.MappedArray = mapped_array  # type: ignore[attr-defined]
    return libcamera, picamera2


def install(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in modules(rig):
        monkeypatch.setitem(sys.modules, module.__name__, module)
