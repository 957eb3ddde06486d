"""The simulated robot's camera, seen from another process: ``box:/path/to/frames``."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from reflexarc.perception.cameras import CameraError, Device, Shot
from reflexarc.sim.frames import FrameReader, FramesError


class BoxCamera(Device):
    """The robot's camera in a simulation that runs in another process."""

    USAGE: ClassVar[str] = "box:/path/to/frames"

    def __init__(self, address: str, *, stall: float = 5.0) -> None:
        """Open what a simulation writes.

        Raises:
            CameraError: no such simulation, or one that has ended.
        """
        if not address:
            raise CameraError(
                expected="the frames of a simulation, box:PATH",
                found="no path",
                remedy='it is the "camera" in the line that `python -m reflexarc.sim` prints',
            )
        self._stall_s = stall
        try:
            self._reader = FrameReader(Path(address).expanduser())
        except FramesError as error:
            raise _as_camera_error(error) from error

    def read(self) -> Shot | None:
        """Wait for the newest frame; None when the simulation has ended.

        Raises:
            CameraError: its process died, or it gives no frames.
        """
        try:
            frame = self._reader.read(self._stall_s)
        except FramesError as error:
            raise _as_camera_error(error) from error
        return None if frame is None else Shot(frame.image, frame.stamp_ns)

    def interrupt(self) -> None:
        """Wake it."""
        self._reader.interrupt()

    def close(self) -> None:
        """Let go of the shared memory."""
        self._reader.close()


def _as_camera_error(error: FramesError) -> CameraError:
    return CameraError(expected=error.expected, found=error.found, remedy=error.remedy)
