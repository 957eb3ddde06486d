"""Films of a run, made afterwards from its flight log: from above, and from behind the robot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import mujoco
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from reflexarc.sim.description import rover
from reflexarc.sim.flight_reader import Flight, FlightError
from reflexarc.sim.measures import measures_of
from reflexarc.sim.movers import Place
from reflexarc.sim.parts import Lamp
from reflexarc.sim.pictures import PictureFolder, PictureSource
from reflexarc.sim.plant import scene
from reflexarc.sim.render import Eye, Image, Point
from reflexarc.sim.scenario import Scenario
from reflexarc.sim.scenario_errors import explain
from reflexarc.sim.world import World

if TYPE_CHECKING:
    from typing_extensions import Self

View = Literal["top", "chase"]

_GROUPS = (0, 1, 2, 4, 5)
_FOVY_DEG = 40.0
_TOP_ELEVATION_DEG = -68.0
_TOP_MARGIN = 1.02
_CHASE_ELEVATION_DEG = -24.0
_CHASE_M = 0.95
_CHASE_AHEAD_M = 0.28
_TRAIL_M, _TRAIL_HEIGHT_M, _MOST_TRAIL = 0.02, 0.004, 2000
_SMOOTH_S = 0.6
"""The chase camera follows the mean of the robot's heading in this time around."""


class Film:
    """Shows any moment of a run; a context manager. One thread uses it.

    Args:
        flight: the log.
        size: width and height in pixels.
        pictures: what boards show; from the folder that the log names if None.

    Raises:
        FlightError: the log holds no states yet.
        ScenarioError: a picture is missing, or the log is of another version.
        RenderError: there is nothing to render with.
    """

    def __init__(
        self,
        flight: Flight,
        size: tuple[int, int] = (960, 540),
        *,
        pictures: PictureSource | None = None,
    ) -> None:
        if not len(flight.t) or not flight.start:
            raise FlightError(
                expected="a flight log to film", found="no states in it", remedy="run longer"
            )
        self.flight = flight
        self._size = size
        folder = flight.start.get("pictures")
        try:
            self._scenario = Scenario.model_validate(flight.start["scenario"])
        except ValidationError as error:
            raise explain(error, Scenario, "the flight log") from error
        self._world = World(
            self._scenario,
            pictures or PictureFolder(None if folder is None else Path(folder)),
            captions=True,
        )
        robot = rover(measures_of(self._scenario))
        spec = scene(robot, self._world)
        spec.visual.global_.fovy = _FOVY_DEG
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._lamp = Lamp(self._model, robot)
        self._world.enter(self._model, self._data)
        self._changes = sorted(
            (*flight.lines.get("thing", ()), *flight.lines.get("picture", ())),
            key=lambda line: float(line["t"]),
        )
        self._done = 0
        self._heading = _smooth(flight.pose[:, 2], round(_SMOOTH_S / 0.02))
        self._eye = Eye(self._model, size, fine=True, groups=_GROUPS)

    def at(self, t: float, view: View = "top") -> Image:
        """One moment.

        Args:
            t: simulated seconds; the log's first or last moment where it is outside.
            view: from above (x to the right), or from behind the robot.

        Returns:
            uint8 (height, width, 3), RGB.
        """
        self._set(t)
        camera = self._top() if view == "top" else self._chase(t)
        trail = self._trail(t) if view == "top" else []
        return self._eye.see(self._data, camera, self._world.versions, trail)

    def frames(
        self, view: View, fps: float = 25.0, since: float = 0.0, until: float | None = None
    ) -> Iterator[Image]:
        """All of it, at an even rate of frames per simulated second."""
        end = self.flight.seconds if until is None else until
        for number in range(int((end - since) * fps) + 1):
            yield self.at(since + number / fps, view)

    def _set(self, t: float) -> None:
        """Everything as it was then."""
        if self._done and float(self._changes[self._done - 1]["t"]) > t:
            self._done = 0
        while self._done < len(self._changes) and (
            float(self._changes[self._done]["t"]) <= t or self._changes[self._done]["t"] == 0
        ):
            line = self._changes[self._done]
            if line["kind"] == "thing":
                self._world.put(line["name"], Place(line["x"], line["y"], line["yaw"]))
            else:
                self._world.draw(line["board"], line["picture"], line["frame"])
            self._done += 1
        times = self.flight.t
        later = min(int(np.searchsorted(times, t)), len(times) - 1)
        before = max(later - 1, 0)
        gap = times[later] - times[before]
        share = float(np.clip((t - times[before]) / gap, 0, 1)) if gap > 0 else 0.0
        a, b = self.flight.qpos[before], self.flight.qpos[later]
        qpos = a + (b - a) * share
        # A quaternion and its negative are the same turn: take the near way.
        turn = b[3:7] if np.dot(a[3:7], b[3:7]) >= 0 else -b[3:7]
        qpos[3:7] = a[3:7] + (turn - a[3:7]) * share
        self._data.qpos[:] = qpos
        red, green, blue = (int(value) for value in self.flight.light[later])
        self._lamp.shine((red, green, blue))
        mujoco.mj_forward(self._model, self._data)

    def _trail(self, t: float) -> list[tuple[Point, Point]]:
        """Where it has driven so far."""
        points: list[Point] = []
        for x, y, _ in self.flight.pose[self.flight.t <= t]:
            if not points or math.dist(points[-1][:2], (x, y)) > _TRAIL_M:
                points.append((float(x), float(y), _TRAIL_HEIGHT_M))
        return list(pairwise(points[-_MOST_TRAIL:]))

    def _top(self) -> Any:
        """So far above that the whole floor is in the picture."""
        width, depth = self._scenario.arena
        lean = math.radians(-_TOP_ELEVATION_DEG)
        vertical = math.tan(math.radians(_FOVY_DEG) / 2)
        across = vertical * self._size[0] / self._size[1]
        # The floor's near edge is nearer by what the view leans.
        near = depth / 2 * math.cos(lean)
        needed = max(width / 2 / across, depth / 2 * math.sin(lean) / vertical)
        centre = (*self._scenario.centre, 0.0)
        return _camera(centre, 90.0, _TOP_ELEVATION_DEG, needed * _TOP_MARGIN + near)

    def _chase(self, t: float) -> Any:
        x, y, _ = self.flight.pose_at(t)
        heading = float(np.interp(t, self.flight.t, self._heading))
        ahead = _CHASE_AHEAD_M
        target = (x + ahead * math.cos(heading), y + ahead * math.sin(heading), 0.1)
        return _camera(target, math.degrees(heading), _CHASE_ELEVATION_DEG, _CHASE_M)

    def close(self) -> None:
        """Let go of the renderer."""
        self._eye.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


def _camera(
    target: tuple[float, float, float], azimuth: float, elevation: float, distance: float
) -> Any:
    """A free camera that looks at a point; azimuth and elevation are where it looks, degrees."""
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat[:] = target
    camera.azimuth, camera.elevation, camera.distance = azimuth, elevation, distance
    return camera


def _smooth(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """The mean of so many values around each; fewer at both ends."""
    kernel = np.ones(min(width, len(values)))
    weight = np.convolve(np.ones(len(values)), kernel, "same")
    return np.convolve(values, kernel, "same") / weight
