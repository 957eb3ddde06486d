"""Follow bodies from frame to frame: each is looked for around where it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.tasks.pose.blazepose import BlazePose
from reflexarc.perception.tasks.pose.movenet import MoveNet, Region

Image = npt.NDArray[np.uint8]

SEARCH_EVERY = 5
"""Frames between two looks at the whole picture while fewer bodies than wanted are followed."""
KEPT_NS = 2_000_000_000
"""A body that comes back within this time, near where it went, has its old number."""

_TORSO = [KEYPOINT[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]


@dataclass
class Body:
    """One that is followed, or was lately.

    Attributes:
        track: its number, from 1, never given twice.
        pose: where it was last seen; `seen_ns` is when.
        region: where to look next; None: nowhere in particular.
    """

    track: int
    pose: Pose
    seen_ns: int
    region: Region | None


class Bodies:
    """Follows up to `people` bodies. One frame costs one run of the net for each of them,
    and now and then one more to find others."""

    def __init__(self, net: MoveNet, people: int = 1) -> None:
        self._net = net
        self._people = people
        self._bodies: list[Body] = []
        self._gone: list[Body] = []
        self._frames = 0
        self._tracks = 0

    def update(self, image: Image, stamp_ns: int) -> list[Body]:
        """Look at the next frame.

        Args:
            image: uint8, (height, width, 3), RGB.
            stamp_ns: its capture time.

        Returns:
            The bodies that are in it.
        """
        seen: list[Body] = []
        for body in self._bodies:
            pose = None if body.region is None else self._net.look(image, body.region)
            if pose is not None and not any(_is_same(pose, other.pose) for other in seen):
                seen.append(self._at(body.track, pose, image, stamp_ns))
            else:
                self._gone.append(body)
        if not seen or (len(seen) < self._people and self._frames % SEARCH_EVERY == 0):
            for pose in self._search(image):
                if len(seen) == self._people:
                    break
                if not any(_is_same(pose, other.pose) for other in seen):
                    seen.append(self._at(self._number(pose, stamp_ns), pose, image, stamp_ns))
        self._frames += 1
        self._bodies = seen
        return seen

    def _search(self, image: Image) -> list[Pose]:
        if self._people > 1:
            return self._net.search(image, self._people)
        pose = self._net.look(image)
        return [] if pose is None else [pose]

    def _at(self, track: int, pose: Pose, image: Image, stamp_ns: int) -> Body:
        return Body(track, pose, stamp_ns, self._net.next_region(pose, image))

    def _number(self, pose: Pose, stamp_ns: int) -> int:
        self._gone = [body for body in self._gone if 0 <= stamp_ns - body.seen_ns <= KEPT_NS]
        # Of one body alone it does not matter where it comes back.
        near = [
            body for body in self._gone if self._people == 1 or _distance(pose, body.pose) < 1.0
        ]
        if near:
            back = min(near, key=lambda body: _distance(pose, body.pose))
            self._gone.remove(back)
            return back.track
        self._tracks += 1
        return self._tracks


class OneBody:
    """`Bodies` for BlazePose, which finds the surest person and follows it by itself."""

    def __init__(self, net: BlazePose) -> None:
        self._net = net
        self._track, self._seen_ns = 0, 0

    def update(self, image: Image, stamp_ns: int) -> list[Body]:
        """See `Bodies.update`."""
        pose = self._net.pose(image)
        if pose is None:
            return []
        if not self._track or not 0 <= stamp_ns - self._seen_ns <= KEPT_NS:
            self._track += 1
        self._seen_ns = stamp_ns
        return [Body(self._track, pose, stamp_ns, None)]


def _distance(one: Pose, other: Pose) -> float:
    """Between two torsos, in lengths of the longer one."""
    apart = np.linalg.norm(one.points[_TORSO] - other.points[_TORSO], axis=1).mean()
    return float(apart) / max(one.torso_px, other.torso_px, 1.0)


def _is_same(one: Pose, other: Pose) -> bool:
    return _distance(one, other) < 0.5
