"""Follow faces from frame to frame: each is looked for around where it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.faces.face import Face, Square, overlap

Image = npt.NDArray[np.uint8]

AROUND = 2.0
"""Side of the square in which a face is looked for, in sides of its box."""
SEARCH_EVERY = 5
"""Frames between two looks at the whole picture while faces are followed."""
KEPT_NS = 1_000_000_000
"""A face that comes back within this time, near where it went, has its old number."""
_FARTHER = 1.5
"""Where a new scene shows nothing, it is looked at once more from farther off: a face that
fills the picture, as in a portrait, is larger than the nets expect."""
_UNSURE = 0.5
"""What the first look finds may be less sure by this factor: it is then looked at closely."""
_KEPT = 0.8
"""A face that is followed may be less sure by this factor."""
_TILT = 0.15
"""Radians; less is no tilt for the net, and a straight square is cut out in half the time."""
_SAME = 0.3


class Detector(Protocol):
    """A net that finds faces: `BlazeFace` or `YuNet`."""

    def look(self, image: Image, square: Square | None, min_score: float) -> list[Face]:
        """The faces in a square of the picture, or in all of it, best first."""
        ...


@dataclass
class Followed:
    """One that is followed, or was lately.

    Attributes:
        track: its number, from 1, never given twice.
        face: where it was last seen; `seen_ns` is when.
        move: by which it had moved since the frame before, x and y in pixels.
    """

    track: int
    face: Face
    seen_ns: int
    move: tuple[float, float] = (0.0, 0.0)

    def expected(self) -> Face:
        """Where it is in the next frame if it goes on as it went."""
        return self.face.moved(*self.move)


class Faces:
    """Follows up to `people` faces. One frame costs a look around each of them, and now and
    then one look or two at the whole picture to find others."""

    def __init__(
        self,
        wide: Sequence[Detector],
        near: Detector,
        *,
        people: int,
        min_score: float,
        search_every: int = SEARCH_EVERY,
    ) -> None:
        """Begin with nobody.

        Args:
            wide: what looks at the whole picture.
            near: what looks around a face.
            people: at most so many.
            min_score: at least so sure when looked at closely, 0..1.
            search_every: frames between two looks at the whole picture.
        """
        self._wide, self._near = tuple(wide), near
        self._people, self._min_score = people, min_score
        self._search_every = search_every
        self._followed: list[Followed] = []
        self._gone: list[Followed] = []
        self._scene: object = None
        self._frames = 0
        self._tracks = 0

    def update(self, image: Image, stamp_ns: int, source: str = "") -> list[Followed]:
        """Look at the next frame.

        Args:
            image: uint8, (height, width, 3), RGB.
            stamp_ns: its capture time.
            source: another one, or another size of the picture, is another scene: nothing
                is looked for where it was.

        Returns:
            The faces that are in it.
        """
        scene = (source, image.shape)
        is_new = scene != self._scene
        if is_new:
            self._scene, self._followed, self._gone, self._frames = scene, [], [], 0
        seen = self._follow(image, stamp_ns)
        lost = [known for known in self._followed if known.track not in {s.track for s in seen}]
        self._gone = [gone for gone in self._gone + lost if 0 <= stamp_ns - gone.seen_ns <= KEPT_NS]
        is_due = self._frames % self._search_every == 0 and len(seen) < self._people
        if not seen or is_due:
            for face in self._search(image, is_new, [known.face for known in seen]):
                if len(seen) == self._people:
                    break
                seen.append(Followed(self._number(face), face, stamp_ns))
        self._frames += 1
        self._followed = seen
        return seen

    def tracks(self) -> set[int]:
        """Numbers of the faces that are followed, or may still come back."""
        return {known.track for known in (*self._followed, *self._gone)}

    def _follow(self, image: Image, stamp_ns: int) -> list[Followed]:
        """Those that are still there. Neighbours see each other: who is nearest has the face."""
        pairs = []
        for known in self._followed:
            expected = known.expected()
            close = self._near.look(image, _around(expected), _KEPT * self._min_score)
            pairs += [(_distance(face, expected), known, face) for face in close]
        seen: list[Followed] = []
        for distance, known, face in sorted(pairs, key=lambda pair: pair[0]):
            is_taken = any(s.track == known.track or _is_same(face, s.face) for s in seen)
            if distance < 1 and not is_taken:
                move = (face.x - known.face.x, face.y - known.face.y)
                seen.append(Followed(known.track, face, stamp_ns, move))
        return seen

    def _search(self, image: Image, is_new: bool, known: list[Face]) -> list[Face]:
        """Others than the known ones, best first."""
        found = self._look(image, None, known)
        if not found and is_new:
            height, width = image.shape[:2]
            side = _FARTHER * max(height, width)
            found = self._look(image, Square(width / 2, height / 2, side), known)
        return found

    def _look(self, image: Image, square: Square | None, known: list[Face]) -> list[Face]:
        """Look at it all, and then closely at whatever may be a face."""
        rough = [
            face
            for net in self._wide
            for face in net.look(image, square, _UNSURE * self._min_score)
        ]
        found: list[Face] = []
        for candidate in sorted(rough, key=lambda face: -face.score):
            if len(found) + len(known) == self._people:
                break
            if any(_is_same(candidate, other) for other in (*known, *found)):
                continue
            close = self._near.look(image, _around(candidate), self._min_score)
            close = [face for face in close if overlap(face, candidate) > _SAME]
            if close and not any(_is_same(close[0], other) for other in (*known, *found)):
                found.append(close[0])
        return sorted(found, key=lambda face: -face.score)

    def _number(self, face: Face) -> int:
        # Of one face alone it does not matter where it comes back.
        near = [
            gone for gone in self._gone if self._people == 1 or _distance(face, gone.face) < 1.5
        ]
        if near:
            back = min(near, key=lambda gone: _distance(face, gone.face))
            self._gone.remove(back)
            return back.track
        self._tracks += 1
        return self._tracks


def _around(face: Face) -> Square:
    square = face.square(AROUND)
    return square if abs(square.angle) > _TILT else replace(square, angle=0.0)


def _distance(one: Face, other: Face) -> float:
    """Between the middles, in sides of the larger box."""
    return math.hypot(one.x - other.x, one.y - other.y) / max(one.side, other.side, 1e-6)


def _is_same(one: Face, other: Face) -> bool:
    return overlap(one, other) > _SAME
