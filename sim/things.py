"""What a scenario is made of: boards with pictures, boxes, cylinders, walls, and their ways.

Metres, degrees and simulated seconds; x ahead of the robot's start, y to its left, z up.
"""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Metres = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Length = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Degrees = Annotated[float, Field(ge=-3600, le=3600, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Metres, Metres]
Colour = tuple[Share, Share, Share]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Section(BaseModel):
    """A part of a scenario; what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def exactly_one(section: BaseModel, names: tuple[str, ...], what: str) -> None:
    """Raise ValueError unless just one of these keys is given."""
    given = [name for name in names if getattr(section, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise ValueError(f"{what} is exactly one of {', '.join(names)}; it has {found}")


class Picture(Section):
    """What a board shows, by name: a `PictureSource` knows where it lies."""

    digit: int | None = Field(None, ge=0, le=9, description="a card with a handwritten digit")
    portrait: int | None = Field(None, ge=1, le=999, description="a face without a mask")
    masked: int | None = Field(None, ge=1, le=999, description="a face with a mask")
    person: int | None = Field(None, ge=1, le=999, description="a whole person")
    clip: str | None = Field(None, pattern=r"^[\w-]{1,40}$", description="a film, such as situp")
    file: str | None = Field(None, min_length=1, max_length=500, description="picture or film")
    blank: Colour | None = Field(None, description="one colour, red, green, blue from 0 to 1")
    crop: tuple[int, int, int, int] | None = Field(
        None, description="only this part of it: left, top, width, height in its pixels"
    )
    speed: float = Field(1.0, gt=0, le=10, description="of a film")
    optional: bool = Field(False, description="where it is missing, the board stays blank")

    @model_validator(mode="after")
    def _one_kind(self) -> Picture:
        exactly_one(self, _KINDS, "a picture")
        return self

    @property
    def title(self) -> str:
        """Its name, "digit 3"; a picture's file is called the same with ``_`` between."""
        kind = next(kind for kind in _KINDS if getattr(self, kind) is not None)
        return f"{kind} {getattr(self, kind)}"


_KINDS = ("digit", "portrait", "masked", "person", "clip", "file", "blank")


class Waypoint(Section):
    """Where a thing is at a moment; it goes straight and evenly from one to the next."""

    t: Seconds
    at: Point
    yaw_deg: Degrees | None = Field(None, description="as before, if left out")


class _Thing(Section):
    at: Point
    yaw_deg: Degrees = Field(0.0, description="where it faces; 0 is ahead, 90 is left")
    z: Metres = Field(0.0, description="of its foot above the floor")
    path: tuple[Waypoint, ...] = Field((), description="times rise", max_length=1000)
    loop: bool = Field(False, description="the path begins again at its end")

    @model_validator(mode="after")
    def _times_rise(self) -> _Thing:
        times = [point.t for point in self.path]
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError(f"a path's times rise; these are {times}")
        return self


class Board(_Thing):
    """An upright board that shows a picture on the side that it faces to."""

    height: Length = Field(0.2, description="of the picture; its width follows from its shape")
    width: Length | None = Field(None, description="instead of the picture's own shape")
    lean_deg: float = Field(0.0, ge=-60, le=60, description="leaned back, so that it looks up")
    solid: bool = Field(True, description="the robot bumps into it, and its range sensor sees it")
    pictures: tuple[Picture, ...] = Field(min_length=1, max_length=100)
    show: int | None = Field(0, ge=0, description="which at first, from 0; null: none")

    @model_validator(mode="after")
    def _it_has_that_picture(self) -> Board:
        if self.show is not None and self.show >= len(self.pictures):
            raise ValueError(f"there are pictures 0 to {len(self.pictures) - 1}, not {self.show}")
        return self


class Box(_Thing):
    """A solid box."""

    size: tuple[Length, Length, Length] = Field(description="length, width, height")
    colour: Colour = (0.72, 0.53, 0.34)


class Cylinder(_Thing):
    """A solid upright cylinder."""

    diameter: Length
    height: Length
    colour: Colour = (0.85, 0.45, 0.25)


class Wall(Section):
    """A solid wall, straight from one point to the next, through all of them."""

    points: tuple[Point, ...] = Field(min_length=2, max_length=100)
    height: Length = 0.25
    thickness: Length = 0.03
    colour: Colour = (0.82, 0.8, 0.75)
