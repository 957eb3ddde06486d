"""The thread that opens, reads and closes a device, again and again."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Literal

from reflexarc.perception.cameras.base import CorruptFrame, Device

if TYPE_CHECKING:
    from reflexarc.perception.cameras.live import LiveCamera

log = logging.getLogger("reflexarc.cameras")

Phase = Literal["opening", "reading", "waiting", "pausing"]


class Reader(threading.Thread):
    """Reads for a `LiveCamera` until the camera wants no more of it.

    Attributes:
        phase: opening and reading are the device's time; waiting (for room) and pausing
            (before it is opened again) are not.
        since_ns: when the phase began, or the last good frame came.
    """

    def __init__(self, camera: LiveCamera, pause_s: float = 0.0) -> None:
        super().__init__(name=f"camera {camera.source}", daemon=True)
        self._camera = camera
        self._pause_s = pause_s
        self._device: Device | None = None
        self.phase: Phase = "pausing" if pause_s else "opening"
        self.since_ns = camera.now_ns()

    def enter(self, phase: Phase) -> None:
        """Begin a phase, now."""
        # In this order: whoever looks in between must not take an old time for a hang.
        self.since_ns = self._camera.now_ns()
        self.phase = phase

    def interrupt(self) -> None:
        """Wake the device from its waiting, if it can be woken."""
        device = self._device
        if device is not None:
            with contextlib.suppress(Exception):  # it may be closing just now
                device.interrupt()

    def run(self) -> None:
        """Open and read until the end."""
        camera = self._camera
        if self._pause_s:
            camera.pause(self._pause_s)
        while camera.is_current(self):
            self.enter("opening")
            pause_s = None
            try:
                self._device = camera.open_device()
                self.enter("reading")
                self._read(self._device)
            except Exception as error:  # drivers raise anything; the camera tells the user
                log.debug("%s", camera.source, exc_info=True)
                pause_s = camera.broke(self, error)
            finally:
                self._close()
            if pause_s is None:
                return
            self.enter("pausing")
            camera.pause(pause_s)

    def _read(self, device: Device) -> None:
        """Give frames on until there are no more or nobody wants them."""
        camera = self._camera
        while camera.is_current(self):
            try:
                shot = device.read()
            except CorruptFrame as error:
                camera.corrupt(self, error.found)
                continue
            if shot is None:
                camera.ended(self)
                return
            camera.put(self, shot)

    def _close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            try:
                device.close()
            except Exception:
                log.debug("%s: closing", self._camera.source, exc_info=True)
