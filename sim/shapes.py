"""What a body is put together from: primitive solids, and their inertia.

SI units. A pose is where something's own frame lies in its parent's: xyz in metres, rpy in
radians, fixed axes x, y, z in this order (URDF's and SDF's convention).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """A frame in its parent's frame."""

    xyz: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)

    @property
    def rotation(self) -> Matrix:
        """3 x 3: from this frame's axes to the parent's."""
        return rotation(self.rpy)


HERE = Pose()
"""Where the parent's frame is."""


def rotation(rpy: Vector) -> Matrix:
    """3 x 3, of roll, pitch and yaw about fixed axes: Rz(yaw) Ry(pitch) Rx(roll)."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def quaternion(rpy: Vector) -> tuple[float, float, float, float]:
    """w, x, y, z of the same rotation."""
    (cr, sr), (cp, sp), (cy, sy) = (
        (float(np.cos(angle / 2)), float(np.sin(angle / 2))) for angle in rpy
    )
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


@dataclass(frozen=True)
class Box:
    """Edges along x, y, z."""

    size: Vector

    @property
    def moments(self) -> Vector:
        """Principal moments of inertia of one kilogram, about the centre."""
        x, y, z = (edge * edge / 12 for edge in self.size)
        return y + z, x + z, x + y


@dataclass(frozen=True)
class Cylinder:
    """Its axis is z."""

    radius: float
    length: float

    @property
    def moments(self) -> Vector:
        """Principal moments of inertia of one kilogram, about the centre."""
        across = self.radius**2 / 4 + self.length**2 / 12
        return across, across, self.radius**2 / 2


@dataclass(frozen=True)
class Sphere:
    """A ball."""

    radius: float

    @property
    def moments(self) -> Vector:
        """Principal moments of inertia of one kilogram, about the centre."""
        each = 0.4 * self.radius**2
        return each, each, each


Shape = Box | Cylinder | Sphere
Color = tuple[float, float, float, float]


@dataclass(frozen=True)
class Piece:
    """A solid of even density, fixed to its link."""

    name: str
    shape: Shape
    pose: Pose = HERE
    mass_kg: float = 0.0
    """0: only to be seen or to be touched."""
    color: Color | None = None
    """Red, green, blue, opacity, 0..1. None: not to be seen."""
    collides: bool = True
    friction: float = 0.6
    """Coulomb's coefficient, against what it touches."""


@dataclass(frozen=True)
class Inertia:
    """Of a link: mass, centre of mass, and the matrix about it along the link's axes."""

    mass_kg: float
    center: Vector
    matrix: Matrix


def inertia_of(pieces: Iterable[Piece]) -> Inertia | None:
    """All pieces as one rigid body (Steiner's theorem); None: they weigh nothing."""
    heavy = [piece for piece in pieces if piece.mass_kg > 0]
    mass = sum(piece.mass_kg for piece in heavy)
    if not heavy:
        return None
    moment = np.array([piece.mass_kg * np.array(piece.pose.xyz) for piece in heavy])
    center = moment.sum(axis=0) / mass
    matrix = np.zeros((3, 3))
    for piece in heavy:
        turn = piece.pose.rotation
        away = np.array(piece.pose.xyz) - center
        own = turn @ np.diag(piece.shape.moments) @ turn.T
        matrix += piece.mass_kg * (own + away @ away * np.eye(3) - np.outer(away, away))
    x, y, z = (float(value) for value in center)
    return Inertia(mass, (x, y, z), matrix)
