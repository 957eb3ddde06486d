"""A scenario: what stands where, what moves when, and what happens to the robot, as YAML.

Metres, degrees and simulated seconds; x ahead of the robot's start, y to its left, z up
(REP-103). ``reflexarc/sim/scenarios/`` holds the packaged ones.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from reflexarc.sim.scenario_errors import ScenarioError, explain
from reflexarc.sim.things import (
    Board,
    Box,
    Cylinder,
    Degrees,
    Length,
    Name,
    Point,
    Seconds,
    Section,
    Wall,
    exactly_one,
)

_MOST_THINGS = 100


class Near(Section):
    """What the robot must have done for something to happen; all that is given holds."""

    near: Point | None = Field(None, description="it is there")
    within: Length = Field(0.15, description="metres from there")
    facing_deg: Degrees | None = Field(None, description="it looks there")
    within_deg: float = Field(15.0, gt=0, le=180)
    still_s: Seconds = Field(0.0, description="and has stood still for so long")
    not_before: Seconds = 0.0


class Show(Section):
    """Another picture on a board."""

    board: Name
    picture: int | None = Field(ge=0, description="which, from 0; null: none")


class Move(Section):
    """A thing goes somewhere else, straight and evenly."""

    thing: Name
    to: Point
    yaw_deg: Degrees | None = None
    seconds: Seconds = Field(0.0, description="how long it takes")


class Do(Section):
    """Something that happens."""

    show: Show | None = None
    move: Move | None = None
    unplug: Literal[True] | None = Field(None, description="pull the serial cable")
    replug: Literal[True] | None = None
    battery_v: float | None = Field(None, ge=0, le=15, description="the battery's, from now on")
    bump: bool | None = Field(None, description="hold the bump switch, or let it go")
    emergency_stop: bool | None = Field(None, description="press the button, or let it go")
    jam: Literal["left", "right"] | None = Field(None, description="a wheel is held")
    free: Literal["left", "right"] | None = Field(None, description="and turns again")
    reset: Literal[True] | None = Field(None, description="pull the chip's reset pin")

    @model_validator(mode="after")
    def _one_thing(self) -> Do:
        exactly_one(self, tuple(type(self).model_fields), "what happens")
        return self


class Event(Section):
    """Something happens at a time, or when the robot has come so far.

    Those with `when` wait for one another, in the order in which they are written.
    """

    at: Seconds | None = None
    when: Near | None = None
    do: Do

    @model_validator(mode="after")
    def _one_moment(self) -> Event:
        exactly_one(self, ("at", "when"), "the moment of an event")
        return self


class Order(Section):
    """A sentence for the robot; whoever runs the scenario says it. As `Event`."""

    at: Seconds | None = None
    when: Near | None = None
    say: str = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _one_moment(self) -> Order:
        exactly_one(self, ("at", "when"), "the moment of an order")
        return self


class Start(Section):
    """Where the robot stands at first."""

    at: Point = (0.0, 0.0)
    yaw_deg: Degrees = 0.0


class View(Section):
    """The robot's camera."""

    size: tuple[Annotated[int, Field(ge=16, le=1920)], Annotated[int, Field(ge=16, le=1920)]] = (
        Field((320, 240), description="width and height in pixels")
    )
    fps: float = Field(10.0, gt=0, le=60)


class Scenario(Section):
    """The whole file."""

    name: Name
    about: str = Field("", max_length=1000)
    seconds: float = Field(30.0, gt=0, le=86_400, description="its length in simulated seconds")
    arena: tuple[Length, Length] = Field((4.0, 3.0), description="the floor that is drawn")
    centre: Point = Field((0.0, 0.0), description="of that floor")
    start: Start = Start()
    view: View = View()
    battery_v: float = Field(7.8, ge=5, le=9, description="of the charged battery, unloaded")
    boards: dict[Name, Board] = Field({}, max_length=_MOST_THINGS)
    boxes: dict[Name, Box] = Field({}, max_length=_MOST_THINGS)
    cylinders: dict[Name, Cylinder] = Field({}, max_length=_MOST_THINGS)
    walls: dict[Name, Wall] = Field({}, max_length=_MOST_THINGS)
    events: tuple[Event, ...] = Field((), max_length=1000)
    robot: dict[str, Any] = Field({}, description="as in robot.yaml; for whoever runs it")
    orders: tuple[Order, ...] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _events_name_what_is_there(self) -> Scenario:
        names = [*self.boards, *self.boxes, *self.cylinders, *self.walls]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a name is of one thing only; {', '.join(twice)} is of several")
        for event in self.events:
            self.check(event.do)
        return self

    @property
    def movable(self) -> dict[str, Board | Box | Cylinder]:
        """All things but the walls, by name."""
        return {**self.boards, **self.boxes, **self.cylinders}

    def check(self, do: Do) -> None:
        """See that what it does is possible here.

        Raises:
            ValueError: no such thing, or no such picture.
        """
        if do.show is not None:
            if do.show.board not in self.boards:
                raise ValueError(f"no board {do.show.board}: there is {_list(self.boards)}")
            count = len(self.boards[do.show.board].pictures)
            if do.show.picture is not None and do.show.picture >= count:
                raise ValueError(f"{do.show.board} has pictures 0 to {count - 1}")
        if do.move is not None and do.move.thing not in self.movable:
            raise ValueError(f"nothing movable is called {do.move.thing}: {_list(self.movable)}")


def _list(names: Any) -> str:
    return ", ".join(names) or "none"


def packaged_scenarios() -> tuple[str, ...]:
    """Names of the scenarios that come with the package, in alphabetical order."""
    folder = files("reflexarc.sim").joinpath("scenarios")
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_scenario(source: str | Path) -> Scenario:
    """Read a packaged scenario by its name, or a file.

    Raises:
        ScenarioError: no such file or name, no YAML, or something wrong in it.
    """
    names = packaged_scenarios()
    if str(source) in names:
        text = files("reflexarc.sim").joinpath("scenarios", f"{source}.yaml").read_text("utf-8")
        return read_scenario(text, str(source))
    path = Path(source).expanduser()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            expected=f"a scenario: {', '.join(names)}, or a file",
            found=f"{str(source)!r} ({getattr(error, 'strerror', None) or error})",
            remedy="name one of these, or check the path",
        ) from error
    return read_scenario(text, str(path))


def read_scenario(text: str, where: str = "the scenario") -> Scenario:
    """Read a scenario's YAML.

    Args:
        text: the YAML.
        where: it came from, for messages.

    Raises:
        ScenarioError: no YAML, or something wrong in it.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(
            expected=f"YAML in {where}",
            found=" ".join(str(error).split()),
            remedy="correct it; indentation and colons are what mostly is wrong",
        ) from error
    if not isinstance(values, dict):
        raise ScenarioError(
            expected=f"a mapping with a name in {where}",
            found=type(values).__name__,
            remedy="see the packaged scenarios for examples",
        )
    try:
        return Scenario.model_validate(values)
    except ValidationError as error:
        raise explain(error, Scenario, where) from error
