"""How solids make a robot: links, the joints between them, and what senses on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from reflexarc.sim.shapes import HERE, Inertia, Piece, Pose, Vector, inertia_of


@dataclass(frozen=True)
class Link:
    """A rigid body, or a mere frame where it has no pieces."""

    name: str
    pieces: tuple[Piece, ...] = ()

    @property
    def inertia(self) -> Inertia | None:
        """Of all pieces; None for a frame."""
        return inertia_of(self.pieces)


@dataclass(frozen=True)
class Joint:
    """How a link hangs on another: the child's frame in the parent's, at angle 0."""

    name: str
    parent: str
    child: str
    pose: Pose = HERE
    kind: Literal["fixed", "continuous", "revolute"] = "fixed"
    axis: Vector = (0.0, 0.0, 1.0)
    lower: float = 0.0
    upper: float = 0.0
    """Limits in radians, of revolute joints."""
    effort_nm: float = 0.0
    velocity: float = 0.0
    """At most so many rad/s."""
    friction_nm: float = 0.0
    damping: float = 0.0
    """N m s/rad."""
    armature: float = 0.0
    """The motor's rotor as seen through its gear, kg m^2."""


@dataclass(frozen=True)
class CameraSensor:
    """Looks along the x axis of `link`; its picture's frame is `optical_link`."""

    link: str
    optical_link: str
    width: int
    height: int
    hfov: float
    """Radians."""
    rate_hz: float = 10.0
    near_m: float = 0.02
    far_m: float = 20.0

    @property
    def vfov(self) -> float:
        """Vertical field of view for square pixels, radians."""
        return 2 * math.atan(math.tan(self.hfov / 2) * self.height / self.width)


@dataclass(frozen=True)
class RangeSensor:
    """Distance to the nearest thing ahead in a level fan around the x axis of `link`."""

    link: str
    nearest_m: float = 0.02
    farthest_m: float = 3.0
    fan: float = math.radians(20.0)
    rays: int = 5
    rate_hz: float = 20.0
