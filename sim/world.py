"""A scenario that runs: things move, boards change their pictures, events happen in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reflexarc.sim.furnish import furnish, sheet_pixels, texture_size
from reflexarc.sim.movers import Mover, Place
from reflexarc.sim.pictures import PictureSource, Reel, find_all
from reflexarc.sim.scenario import Do, Near, Scenario

if TYPE_CHECKING:
    from reflexarc.sim.plant import Plant

Report = Callable[..., None]
"""Told of what happens: kind of line, t, values; as `FlightLog.write`."""

_EVERY = 5
"""Physics steps between two looks at the scenario: 10 ms."""
_STILL_MPS = 0.01


@dataclass
class _Screen:
    """One board: what it can show, what it shows, and its texture."""

    name: str
    reels: tuple[Reel | None, ...]
    shown: int | None
    since: float = 0.0
    frame: int = -1
    texture: int = -1
    size: tuple[int, int] = (0, 0)

    def reel(self) -> Reel | None:
        return None if self.shown is None else self.reels[self.shown]


@dataclass
class Body:
    """Where the robot is: x, y in metres, yaw in radians; and for how long it has stood."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    still_s: float = 0.0


def _nobody(*args: Any, **values: Any) -> None:
    """Nobody wants to know."""


class World:
    """What a scenario's surroundings do: `reflexarc.sim.plant.Surroundings`.

    Args:
        scenario: what stands where, and what happens when.
        source: of the boards' pictures.
        report: told of all that happens; as `FlightLog.write`.
        act: does what happens to the robot itself.
        captions: for films, see `furnish`.

    Attributes:
        scenario: it is made from.
        began_at: simulated time from which the scenario's times count; None: not yet.
        body: what the robot's body did last.
        missing: titles of optional pictures that were not found.
        versions: of each texture that may change, by its number; for `Eye.see`.

    Raises:
        ScenarioError: a picture is missing.
        CameraError: a picture cannot be read.
    """

    def __init__(
        self,
        scenario: Scenario,
        source: PictureSource,
        *,
        report: Report = _nobody,
        act: Callable[[Do], None] = _nobody,
        captions: bool = False,
    ) -> None:
        self.scenario = scenario
        self._report, self._act, self._captions = report, act, captions
        self._screens: dict[str, _Screen] = {}
        self.missing: list[str] = []
        for name, board in scenario.boards.items():
            reels, missing = find_all(board.pictures, source, f"board {name} of {scenario.name}")
            self._screens[name] = _Screen(name, reels, board.show)
            self.missing += missing
        self._movers = {name: Mover(thing) for name, thing in scenario.movable.items()}
        timed = (event for event in scenario.events if event.at is not None)
        self._timed = sorted(timed, key=lambda event: event.at or 0.0)
        self._awaited = [event for event in scenario.events if event.when is not None]
        self.body = Body()
        self._moved_at = 0.0
        self.began_at: float | None = 0.0
        self._model: Any = None
        self._data: Any = None
        self._mocap: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self.versions: dict[int, int] = {}

    def hold(self) -> None:
        """Let the scenario's own clock stand at zero until `go`: a robot that is still
        starting should miss nothing."""
        self.began_at = None

    def go(self, t: float) -> float:
        """Let it run from this simulated time on; gives the time at which it began."""
        if self.began_at is None:
            self.began_at = self._moved_at = t
            self._report("event", t, do={"begin": True})
        return self.began_at

    def script_s(self, t: float) -> float:
        """The scenario's own time: what `at` in its file is compared with."""
        return 0.0 if self.began_at is None else round(t - self.began_at, 6)

    # ---- as the plant's surroundings

    def build(self, spec: Any) -> None:
        """Put everything into a scene (MuJoCo's `MjSpec`) that holds robot and floor only."""
        reels = {name: screen.reels for name, screen in self._screens.items()}
        furnish(spec, self.scenario, reels, captions=self._captions)

    def begin(self, plant: Plant) -> None:
        """Things stand where they start, boards show what they show at first."""
        self.enter(plant.model, plant.data)
        self._move(0.0)
        self._refresh(0.0)

    def step(self, plant: Plant) -> None:
        """Come to the plant's time."""
        if plant.steps % _EVERY:
            return
        t = plant.time_s
        if max(map(abs, plant.wheel_speeds)) > _STILL_MPS:
            self._moved_at = t
        self.body = Body(*plant.pose, still_s=t - self._moved_at)
        if self.began_at is not None:
            for do in list(self._due(self.script_s(t))):
                self.do(do, t)
        self._move(t)
        self._refresh(t)

    def do(self, do: Do, t: float) -> None:
        """Let something happen.

        Raises:
            ValueError: there is no such thing; see `Scenario.check`.
        """
        self.scenario.check(do)
        what = {key: value for key, value in do.model_dump().items() if value is not None}
        self._report("event", t, do=what)
        if do.show is not None:
            screen = self._screens[do.show.board]
            screen.shown, screen.since, screen.frame = do.show.picture, self.script_s(t), -1
        elif do.move is not None:
            self._movers[do.move.thing].send(do.move, self.script_s(t))
        else:
            self._act(do)

    # ---- for films too: the same again, from a log

    def enter(self, model: Any, data: Any) -> None:
        """Find everything in a compiled scene."""
        self._model, self._data = model, data
        self._mocap = {name: int(model.body(name).mocapid[0]) for name in self._movers}
        for name, screen in self._screens.items():
            screen.texture = int(model.texture(name).id)
            screen.size = texture_size(screen.reels)
            self.versions[screen.texture] = 0

    def put(self, name: str, place: Place) -> None:
        """A thing is there."""
        slot, half = self._mocap[name], place.yaw / 2
        z = self.scenario.movable[name].z
        self._data.mocap_pos[slot] = (place.x, place.y, z)
        self._data.mocap_quat[slot] = (math.cos(half), 0.0, 0.0, math.sin(half))

    def draw(self, board: str, picture: int | None, frame: int) -> None:
        """A board shows that frame of that picture."""
        screen = self._screens[board]
        reel = None if picture is None else screen.reels[picture]
        image = None if reel is None else reel.frames[frame]
        pixels = sheet_pixels(image, screen.size)
        begin = int(self._model.tex_adr[screen.texture])
        self._model.tex_data[begin : begin + pixels.size] = np.ravel(pixels)
        self.versions[screen.texture] += 1

    # ----

    def _due(self, t: float) -> Iterator[Do]:
        while self._timed and (self._timed[0].at or 0.0) <= t:
            yield self._timed.pop(0).do
        while self._awaited:
            when = self._awaited[0].when
            if when is None or not is_true(when, t, self.body):
                return
            yield self._awaited.pop(0).do

    def _move(self, t: float) -> None:
        for name, mover in self._movers.items():
            place = mover.at(self.script_s(t))
            if self._places.get(name) != place:
                self._places[name] = place
                self.put(name, place)
                self._report("thing", t, name=name, x=place.x, y=place.y, yaw=place.yaw)

    def _refresh(self, t: float) -> None:
        for name, screen in self._screens.items():
            reel = screen.reel()
            frame = 0 if reel is None else reel.number_at(self.script_s(t) - screen.since)
            if frame != screen.frame:
                screen.frame = frame
                self.draw(name, screen.shown, frame)
                self._report("picture", t, board=name, picture=screen.shown, frame=frame)


def is_true(when: Near, t: float, body: Body) -> bool:
    """Whether the robot has come so far."""
    if t < when.not_before or body.still_s < when.still_s:
        return False
    if when.near is not None:
        away = math.hypot(body.x - when.near[0], body.y - when.near[1])
        if away > when.within:
            return False
    if when.facing_deg is not None:
        off = math.degrees(body.yaw) - when.facing_deg
        if abs((off + 180) % 360 - 180) > when.within_deg:
            return False
    return True
