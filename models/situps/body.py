"""A kinematic body and the camera that looks at it: angles in, pixels out.

The body moves in its sagittal plane. World axes as in REP-103: x forward (where the
body faces when it stands, where its feet are when it lies on its back), y left, z up;
metres. Directions of limbs are angles in the x-z plane, degrees from +x towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import COCO_KEYPOINTS, KEYPOINT

Array = npt.NDArray[np.float64]

LUMBAR_SHARE = 0.45
"""The trunk bends at this share of the way from hip to shoulder."""

TOUCHING_M = 0.09
"""Height of hip and ankle joints above the floor they rest on."""


@dataclass(frozen=True)
class Body:
    """Lengths between joint centres, metres.

    The defaults are a body of 1.7 m with the mean proportions of Drillis and Contini
    (1966), as in Winter, "Biomechanics and Motor Control of Human Movement".
    """

    trunk: float = 0.288 * 1.7
    neck: float = 0.115 * 1.7
    upper_arm: float = 0.186 * 1.7
    forearm: float = 0.160 * 1.7
    thigh: float = 0.245 * 1.7
    shin: float = 0.246 * 1.7
    shoulders: float = 0.230 * 1.7
    hips: float = 0.120 * 1.7

    @classmethod
    def drawn(cls, rng: np.random.Generator, spread: float) -> Body:
        """A body whose lengths differ from the mean ones, each by up to `spread`."""
        return cls(
            **{
                f.name: getattr(cls, f.name) * rng.uniform(1 - spread, 1 + spread)
                for f in fields(cls)
            }
        )


@dataclass(frozen=True)
class Posture:
    """One posture; a track of them is interpolated number by number.

    Attributes:
        x, y, z: hip centre, metres.
        pelvis, chest, head: directions of the trunk's lower and upper part and of the
            neck: 180 lying on the back, 90 upright, 0 bent forward.
        face: where the nose is against `head`: -90, or 90 when prone.
        thighs, shins: directions, left and right: -90 standing, 0 pointing forward.
        upper_arms, forearms: against `chest`, left and right: -180 hanging.
        heading: turn about the vertical, + left.
        on_back: 1 while a sit-up may be under way, 0 in any other activity.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = TOUCHING_M
    pelvis: float = 180.0
    chest: float = 180.0
    head: float = 180.0
    face: float = -90.0
    thigh_left: float = 0.0
    thigh_right: float = 0.0
    shin_left: float = 0.0
    shin_right: float = 0.0
    upper_arm_left: float = -180.0
    upper_arm_right: float = -180.0
    forearm_left: float = -180.0
    forearm_right: float = -180.0
    heading: float = 0.0
    on_back: float = 1.0

    def vector(self) -> Array:
        """Float64, shape (len(COLUMNS),)."""
        return np.array([getattr(self, name) for name in COLUMNS])


COLUMNS = tuple(f.name for f in fields(Posture))
COLUMN = {name: index for index, name in enumerate(COLUMNS)}


def joints(body: Body, track: Array) -> Array:
    """Where the body's keypoints are.

    Args:
        body: its lengths.
        track: shape (t, len(COLUMNS)), postures over time.

    Returns:
        Shape (t, 17, 3), metres, rows as in COCO_KEYPOINTS.
    """
    get = {name: track[:, index] for name, index in COLUMN.items()}
    hip = np.zeros((len(track), 3))
    waist = hip + _reach(get["pelvis"], body.trunk * LUMBAR_SHARE)
    shoulder = waist + _reach(get["chest"], body.trunk * (1 - LUMBAR_SHARE))
    skull = shoulder + _reach(get["head"], body.neck)
    face = get["head"] + get["face"]
    points = np.zeros((len(track), len(COCO_KEYPOINTS), 3))
    points[:, KEYPOINT["nose"]] = skull + _reach(face, 0.10)
    for side, left in (("left", 1.0), ("right", -1.0)):
        beside = left * np.array([0.0, 0.5, 0.0])
        upper_arm = get["chest"] + get[f"upper_arm_{side}"]
        forearm = get["chest"] + get[f"forearm_{side}"]
        elbow = shoulder + beside * body.shoulders + _reach(upper_arm, body.upper_arm)
        knee = hip + beside * body.hips + _reach(get[f"thigh_{side}"], body.thigh)
        for name, place in (
            ("eye", skull + beside * 0.06 + _reach(face, 0.08) + _reach(get["head"], 0.03)),
            ("ear", skull + beside * 0.15),
            ("shoulder", shoulder + beside * body.shoulders),
            ("elbow", elbow),
            ("wrist", elbow + _reach(forearm, body.forearm)),
            ("hip", hip + beside * body.hips),
            ("knee", knee),
            ("ankle", knee + _reach(get[f"shin_{side}"], body.shin)),
        ):
            points[:, KEYPOINT[f"{side}_{name}"]] = place
    heading = np.radians(get["heading"])[:, None]
    x, y = points[..., 0].copy(), points[..., 1].copy()
    points[..., 0] = x * np.cos(heading) - y * np.sin(heading)
    points[..., 1] = x * np.sin(heading) + y * np.cos(heading)
    return points + np.stack([get["x"], get["y"], get["z"]], axis=-1)[:, None, :]


def inclination(body: Body, track: Array) -> Array:
    """The trunk (hip to shoulder) against the floor, degrees, shape (t,): 0 lying on the back."""
    lower, upper = (np.radians(track[:, COLUMN[name]]) for name in ("pelvis", "chest"))
    x = LUMBAR_SHARE * np.cos(lower) + (1 - LUMBAR_SHARE) * np.cos(upper)
    z = LUMBAR_SHARE * np.sin(lower) + (1 - LUMBAR_SHARE) * np.sin(upper)
    angle: Array = np.degrees(np.arctan2(z, -x))
    return angle


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at a point above the floor.

    Attributes:
        left: it stands on the body's left side.
        yaw: degrees off the square view: 0 is straight from the side, 90 from the feet.
        tilt: degrees that it looks down.
        roll: degrees about its own axis.
        distance: metres to the point it looks at.
        target: that point, metres.
        focal_px: focal length; centre_px: the picture's centre.
    """

    left: bool = True
    yaw: float = 0.0
    tilt: float = 5.0
    roll: float = 0.0
    distance: float = 4.0
    target: tuple[float, float, float] = (0.0, 0.0, 0.4)
    focal_px: float = 600.0
    centre_px: tuple[float, float] = (320.0, 240.0)

    def project(self, points: Array) -> Array:
        """World points (..., 3) in metres -> pixels (..., 2), y down."""
        side = np.radians((90.0 - self.yaw) * (1.0 if self.left else -1.0))
        tilt, roll = np.radians(self.tilt), np.radians(self.roll)
        back = np.array([np.cos(side) * np.cos(tilt), np.sin(side) * np.cos(tilt), np.sin(tilt)])
        right = np.array([-np.sin(side), np.cos(side), 0.0])
        up = np.cross(back, right)
        right, up = (
            np.cos(roll) * right + np.sin(roll) * up,
            np.cos(roll) * up - np.sin(roll) * right,
        )
        seen = points - (np.array(self.target) + self.distance * back)
        depth = np.maximum(seen @ -back, 0.1)
        x = self.centre_px[0] + self.focal_px * (seen @ right) / depth
        y = self.centre_px[1] - self.focal_px * (seen @ up) / depth
        return np.stack([x, y], axis=-1)


def _reach(direction: Array, length: float) -> Array:
    """The way along a direction in the sagittal plane: shape (t, 3)."""
    angle = np.radians(direction)
    return np.stack([length * np.cos(angle), np.zeros_like(angle), length * np.sin(angle)], axis=-1)
