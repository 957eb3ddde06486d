"""A simulated body that lives in a thread of its own, at the pace of its chip."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.sim.plant import Plant


class Ride:
    """The plant goes on by itself; `watchers` are called after every step, in its thread."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.watchers: list[Callable[[Plant], None]] = []
        self.error: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="body", daemon=True)

    def _live(self) -> None:
        try:
            while not self._over.is_set():
                self.plant.step()
                for watcher in self.watchers:
                    watcher(self.plant)
        except BaseException as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        end = self.plant.time_s + seconds
        self.until(lambda: self.plant.time_s >= end, seconds + 1)

    def until(self, what: Callable[[], bool], seconds: float) -> None:
        """Wait until it is so; it has to be within that much simulated time."""
        end = self.plant.time_s + seconds
        while not what():
            assert self.error is None, self.error
            assert self.plant.time_s < end, "it did not happen"
            time.sleep(0.002)


@contextlib.contextmanager
def riding(firmware: FirmwareImage, *, pace: float = 1.0, **plant: Any) -> Iterator[Ride]:
    with EmulatedBoard(firmware, speed=pace) as emulator:
        ride = Ride(Plant(emulator, **plant))
        ride.start()
        try:
            yield ride
        finally:
            ride.end()


class Odometer:
    """Wheel odometry as a robot does it: from the encoders and two measures alone."""

    def __init__(self, plant: Plant) -> None:
        self._last = plant.encoder
        measures = plant.robot.measures
        self._per_count = math.pi * measures.wheel_diameter_m / measures.counts_per_revolution
        self._separation = measures.wheel_separation_m
        self.x, self.y, self.yaw = plant.pose
        self.way_m = 0.0

    def __call__(self, plant: Plant) -> None:
        left, right = (
            (now - before) * self._per_count
            for now, before in zip(plant.encoder, self._last, strict=True)
        )
        self._last = plant.encoder
        turned = (right - left) / self._separation
        self.x += (left + right) / 2 * math.cos(self.yaw + turned / 2)
        self.y += (left + right) / 2 * math.sin(self.yaw + turned / 2)
        self.yaw += turned
        self.way_m += abs(left + right) / 2
