"""People from frame to frame: numbers, steady boxes, and who counts as somebody."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.people.looks import alike, clothes
from reflexarc.perception.tasks.people.ssd import Values
from reflexarc.perception.tracking import NOBODY, Tracker

MIN_IOU = 0.3
"""Overlap with the place where somebody is expected."""
KEPT_NS = 1_500_000_000
"""The tracker expects somebody whom it does not find for this time."""
BACK_NS = 4_000_000_000
"""Somebody new, near and dressed alike, is the one who was lost within this time."""
REACH, SPEED = 0.5, 0.8
"""How near that is, in heights of the person: at once, and more for each second (at 1.4 m/s
somebody of 1.75 m walks 0.8 of his height)."""
ALIKE = 0.7
"""How alike clothes must be, see `looks.alike`."""
SHOWN_NS = 300_000_000
"""Who was not found is still believed where the Kalman filter expects it for this time."""
MIN_HITS = 2
"""Frames in which somebody must have been found to be shown at all."""
UNIQUE_NS = 1_000_000_000
"""Who was followed for this time counts as one more person."""
STEADY = 0.3
"""Of each new size, so much is taken over: people walk, but do not grow."""

Image = npt.NDArray[np.uint8]


@dataclass
class Person:
    """Somebody who is followed, or was lately.

    Attributes:
        track: the number, from 1.
        box: left, top, right, bottom.
        score: of the last box that was found.
        first_ns, seen_ns: when somebody was found first and last.
        log_size: logarithms of width and height, smoothed.
        clothes: see `looks.clothes`.
        hits: in how many frames.
    """

    track: int
    box: tuple[float, float, float, float]
    score: float
    first_ns: int
    seen_ns: int
    log_size: Values
    clothes: Values
    hits: int = 1

    @property
    def height(self) -> float:
        """Of the box."""
        return self.box[3] - self.box[1]

    @property
    def feet(self) -> tuple[float, float]:
        """The middle of the box's lower edge."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]


@dataclass
class Followed:
    """The people of one stream.

    Attributes:
        sure: the score that makes somebody.
        unique: how many different people there have been; never falls.
    """

    sure: float
    unique: int = 0
    _people: dict[int, Person] = field(default_factory=dict)
    # The tracker's numbers -> ours: somebody who was lost may have several of the tracker's.
    _owners: dict[int, int] = field(default_factory=dict)
    _given: int = 0
    _last_ns: int = 0

    def __post_init__(self) -> None:
        """Begin with nobody."""
        self._tracker = Tracker(sure=self.sure, min_iou=MIN_IOU, keep_ns=KEPT_NS)

    def update(
        self, boxes: Values, scores: Values, stamp_ns: int, image: Image, scale: tuple[float, float]
    ) -> list[Person]:
        """Take what was found in the next frame, best first.

        Args:
            boxes: (n, 4): left, top, right, bottom.
            scores: (n,).
            stamp_ns: the frame's capture time.
            image: the frame.
            scale: the boxes' units to a pixel of it, across and down.

        Returns:
            Who is there, in the order of their numbers.
        """
        if stamp_ns < self._last_ns:  # another time: nobody is known any more
            self._people.clear()
        self._last_ns = stamp_ns
        numbers = self._tracker.update(boxes, scores, stamp_ns)
        places = self._tracker.places()
        self._owners = {
            number: owner
            for number, owner in self._owners.items()
            if number in places and owner in self._people
        }
        found = [
            (number, box, float(score), clothes(image, box / np.array(scale * 2)))
            for number, box, score in zip(numbers.tolist(), boxes, scores, strict=True)
            if number != NOBODY
        ]
        # First those who were known: nobody new may take the place of one who is here.
        for number, box, score, worn in found:
            if number in self._owners and self._people[self._owners[number]].seen_ns < stamp_ns:
                self._see(self._people[self._owners[number]], box, score, worn, stamp_ns)
            else:
                self._owners.pop(number, None)
        for number, box, score, worn in found:
            if number not in self._owners:
                self._owners[number] = self._meet(box, score, worn, stamp_ns).track
        at = {owner: places[number] for number, owner in self._owners.items()}
        self._people = {
            track: person
            for track, person in self._people.items()
            if stamp_ns - person.seen_ns <= BACK_NS
        }
        return self._shown(at, stamp_ns)

    def _shown(
        self, at: dict[int, tuple[float, float, float, float]], stamp_ns: int
    ) -> list[Person]:
        shown = []
        for track, person in sorted(self._people.items()):
            if person.hits < MIN_HITS or stamp_ns - person.seen_ns > SHOWN_NS or track not in at:
                continue
            person.box = _around(at[track], person.log_size)
            shown.append(person)
        return shown

    def _see(self, person: Person, box: Values, score: float, worn: Values, stamp_ns: int) -> None:
        age = person.seen_ns - person.first_ns
        person.hits += 1
        person.score, person.seen_ns = score, stamp_ns
        share = max(STEADY, 1 / person.hits)
        person.log_size = person.log_size + share * (np.log(box[2:] - box[:2]) - person.log_size)
        person.clothes = person.clothes + share * (worn - person.clothes)
        person.box = _around(box, person.log_size)
        if age < UNIQUE_NS <= stamp_ns - person.first_ns:
            self.unique += 1

    def _meet(self, box: Values, score: float, worn: Values, stamp_ns: int) -> Person:
        """Somebody whom the tracker does not know: one who was lost, or one more."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        best, likeness = None, ALIKE
        for person in self._people.values():
            lost_s = (stamp_ns - person.seen_ns) / 1e9
            if lost_s <= 0:
                continue
            left, top, right, bottom = person.box
            apart = np.hypot((left + right) / 2 - x, (top + bottom) / 2 - y)
            if apart > (REACH + SPEED * lost_s) * person.height:
                continue
            if (now := alike(person.clothes, worn)) > likeness:
                best, likeness = person, now
        if best is not None:
            for number in [n for n, owner in self._owners.items() if owner == best.track]:
                del self._owners[number]
            self._see(best, box, score, worn, stamp_ns)
            return best
        self._given += 1
        left, top, right, bottom = (float(v) for v in box)
        person = Person(
            self._given,
            (left, top, right, bottom),
            score,
            stamp_ns,
            stamp_ns,
            np.log(box[2:] - box[:2]),
            worn,
        )
        self._people[person.track] = person
        return person


def _around(
    place: tuple[float, float, float, float] | Values, log_size: Values
) -> tuple[float, float, float, float]:
    """A box of a steady size around the middle of another."""
    x, y = float(place[0] + place[2]) / 2, float(place[1] + place[3]) / 2
    half_width, half_height = (float(v) / 2 for v in np.exp(log_size))
    return x - half_width, y - half_height, x + half_width, y + half_height
