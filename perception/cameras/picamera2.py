"""The Raspberry Pi's cameras, through picamera2 and libcamera."""

from __future__ import annotations

import difflib
import importlib.util
import weakref
from collections import deque
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as JobTimeoutError
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from reflexarc.perception.cameras.base import CameraError, Device, Image, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock, as_monotonic
from reflexarc.perception.cameras.options import Size

_INSTALL = (
    "on Raspberry Pi OS: sudo apt install python3-picamera2, in a venv made with "
    "--system-site-packages"
)
_BUFFERS = 6
_HELD = 3  # buffers that frames may keep; the camera needs the others
_AF_MODES = {"manual": 0, "auto": 1, "continuous": 2}  # libcamera's AfModeEnum


def _controls(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = (part.partition(":") for part in value.split(","))
    return {name.strip(): number.strip() for name, _, number in pairs}


Controls = Annotated[dict[str, float], BeforeValidator(_controls)]


class PiCamera(Device):
    """Raspberry Pi camera, with libcamera's controls."""

    USAGE: ClassVar[str] = "picamera2:, picamera2:1"

    def __init__(
        self,
        address: str = "",
        *,
        size: Annotated[Size, Field(description="width x height, even numbers")] = (640, 480),
        fps: Annotated[float, Field(gt=0, description="frames a second")] = 30.0,
        exposure: Annotated[
            int | None, Field(gt=0, description="microseconds; automatic if left out")
        ] = None,
        gain: Annotated[
            float | None, Field(gt=0, description="of the sensor; automatic if left out")
        ] = None,
        hflip: Annotated[bool, Field(description="1: left and right change places")] = False,
        vflip: Annotated[bool, Field(description="1: top and bottom change places")] = False,
        af: Annotated[
            Literal["manual", "auto", "continuous"] | None,
            Field(description="focus (AfMode), of cameras that can"),
        ] = None,
        controls: Annotated[
            Controls | None,
            Field(description="others by libcamera's names: Sharpness:1.5,AwbEnable:0"),
        ] = None,
        copy: Annotated[
            bool, Field(description="1: frames do not use libcamera's buffers")
        ] = False,
        clock: Clock = CLOCK,
        stall: float = 5.0,
    ) -> None:
        """Open and start it.

        Raises:
            CameraError: picamera2 is not installed; no such camera; another program has
                it; a control that this camera does not have.
        """
        picamera2, libcamera = _libraries()
        number = int(address) if address.isdecimal() else 0
        self._name = f"picamera2:{number}"
        try:
            cameras = picamera2.Picamera2.global_camera_info()
        except RuntimeError as error:
            raise self._taken(error) from error
        if (address and not address.isdecimal()) or number >= len(cameras):
            raise CameraError(
                expected="a Raspberry Pi camera's number, from 0",
                found=f"{address or number!r}; libcamera sees {len(cameras)}",
                remedy="check the ribbon cable, and that `rpicam-hello --list-cameras` shows it",
            )
        self._clock, self._stall_s = clock, stall
        self._mapped = picamera2.MappedArray
        self._copies = copy
        # Requests whose frames are gone, put here by whichever thread dropped the frame.
        self._spent: deque[Any] = deque()
        self._out = 0
        wanted: dict[str, Any] = {"FrameRate": fps, **(controls or {})}
        named = {
            "ExposureTime": exposure,
            "AnalogueGain": gain,
            "AfMode": None if af is None else _AF_MODES[af],
        }
        wanted.update({name: value for name, value in named.items() if value is not None})
        try:
            self._camera = picamera2.Picamera2(number)
        except (RuntimeError, IndexError) as error:
            raise self._taken(error) from error
        try:
            self._check_controls(wanted)
            # libcamera names formats from the highest byte down: its BGR888 is R, G, B in
            # memory, which is ours, so that nothing has to be converted.
            configuration = self._camera.create_video_configuration(
                main={"format": "BGR888", "size": tuple(size)},
                transform=libcamera.Transform(hflip=int(hflip), vflip=int(vflip)),
                buffer_count=_BUFFERS,
                queue=False,  # else the first frame after a pause is an old one
                controls=wanted,
            )
            self._camera.configure(configuration)
            self._camera.start()
        except RuntimeError as error:
            self._camera.close()
            raise self._taken(error) from error
        except CameraError:
            self._camera.close()
            raise

    def read(self) -> Shot:
        """The next frame, stamped by the sensor.

        Raises:
            CameraError: none came within `stall` seconds: the cable is loose.
        """
        self._recycle()
        try:
            request = self._camera.capture_request(wait=self._stall_s)
        except (JobTimeoutError, CancelledError, RuntimeError) as error:
            self._camera.cancel_all_and_flush()
            raise CameraError(
                expected=f"frames from {self._name}",
                found=f"none in {self._stall_s:g} s",
                remedy="check the ribbon cable",
            ) from error
        now_ns = self._clock.now_ns()
        stamp_ns = request.get_metadata().get("SensorTimestamp")
        at_ns = now_ns if stamp_ns is None else as_monotonic(stamp_ns, now_ns)
        return Shot(self._image(request), at_ns)

    def close(self) -> None:
        """Stop it. Frames that are still held stay as they are."""
        self._recycle()
        self._camera.close()

    def interrupt(self) -> None:
        """Cancel the waiting."""
        self._camera.cancel_all_and_flush()

    def _image(self, request: Any) -> Image:
        with self._mapped(request, "main", write=False) as mapped:
            array: Image = mapped.array
            if self._copies or self._out >= _HELD or not array.flags.c_contiguous:
                copied = np.array(array, order="C")
                request.release()
                return copied
            buffer = _Buffer(array)
        self._out += 1
        # Called when the last array that looks into the buffer is gone. Releasing takes
        # picamera2's lock, which this thread may hold just then: the reader does it.
        weakref.finalize(buffer, self._spent.append, request)
        return np.asarray(buffer)

    def _recycle(self) -> None:
        while self._spent:
            self._spent.popleft().release()
            self._out -= 1

    def _check_controls(self, wanted: dict[str, Any]) -> None:
        known = self._camera.camera_controls
        for name in wanted:
            if name == "FrameRate" or name in known:
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            raise CameraError(
                expected=f"a control of this camera: {', '.join(sorted(known))}",
                found=name,
                remedy=f"did you mean {near[0]}?" if near else "leave it out",
            )

    def _taken(self, error: Exception) -> CameraError:
        cause = error.__cause__ or error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        return CameraError(
            expected=f"{self._name} to start",
            found=str(cause) or type(cause).__name__,
            remedy="close the program that uses it (rpicam-*, another reflexarc); "
            "check the ribbon cable",
        )

    @staticmethod
    def missing() -> str | None:
        """picamera2 comes with Raspberry Pi OS."""
        return None if importlib.util.find_spec("picamera2") else _INSTALL


class _Buffer:
    """One of libcamera's buffers, as the owner of the arrays that look into it.

    NumPy makes the first base that is no array the base of all views, so this lives as
    long as any of them.
    """

    def __init__(self, array: Image) -> None:
        self._array = array  # keeps the mapping
        self.__array_interface__ = array.__array_interface__


def _libraries() -> tuple[Any, Any]:
    try:
        import libcamera
        import picamera2
    except ImportError as error:
        raise CameraError(
            expected="picamera2 for a Raspberry Pi camera", found=str(error), remedy=_INSTALL
        ) from error
    return picamera2, libcamera
