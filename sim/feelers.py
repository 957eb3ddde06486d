"""What the simulated body feels of the world: the distance ahead, and a bump."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from reflexarc.sim.links import RangeSensor
from reflexarc.sim.mjcf import RANGE_SITE

_GROUPS = 6
_SOLID_GROUPS = (0, 1)
"""Of the world's geoms; what is in others is only to be seen."""


class RangeFinder:
    """The nearest thing of the world in a level fan of rays; the robot itself is not seen."""

    def __init__(self, model: Any, sensor: RangeSensor) -> None:
        self._model = model
        self._sensor = sensor
        self._site = model.site(RANGE_SITE).id
        self._groups = np.zeros(_GROUPS, np.uint8)
        self._groups[list(_SOLID_GROUPS)] = 1
        angles = np.linspace(-sensor.fan / 2, sensor.fan / 2, sensor.rays)
        self._rays = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
        self._geom = np.zeros(1, np.int32)

    def measure(self, data: Any) -> float | None:
        """Metres from the sensor's face; None: nothing within its reach."""
        origin = data.site_xpos[self._site]
        turn = data.site_xmat[self._site].reshape(3, 3)
        nearest = self._sensor.farthest_m
        for ray in self._rays:
            distance = mujoco.mj_ray(
                self._model, data, origin, turn @ ray, self._groups, 1, -1, self._geom
            )
            if 0 <= distance < nearest:
                nearest = distance
        if nearest >= self._sensor.farthest_m:
            return None
        return max(nearest, self._sensor.nearest_m)


class Bumper:
    """Is the front bumper touching something?"""

    def __init__(self, model: Any, piece: str) -> None:
        self._geom = model.geom(f"{piece}_collision").id

    def is_pressed(self, data: Any) -> bool:
        """At the last physics step."""
        return bool(data.ncon) and bool((data.contact.geom[: data.ncon] == self._geom).any())
