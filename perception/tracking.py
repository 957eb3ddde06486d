"""Which box is whom: numbers for things that are found again from frame to frame.

The association is ByteTrack's (Zhang et al. 2022, "ByteTrack: Multi-Object Tracking by
Associating Every Detection Box"), by the library edgefirst-tracker: sure boxes are
matched first and may begin tracks, unsure ones only prolong what is there.
"""

from __future__ import annotations

import edgefirst.tracker
import numpy as np
import numpy.typing as npt

NOBODY = 0
"""The number of a box that belongs to no track."""


class Tracker:
    """Follows the boxes of one stream. Numbers count from 1 and are never given twice.

    Equal calls give equal numbers. Where time goes back (a clip that begins again, another
    source) all tracks end, and the numbers go on.
    """

    def __init__(
        self,
        *,
        sure: float = 0.5,
        min_iou: float = 0.2,
        follow: float = 1.0,
        keep_ns: int = 1_000_000_000,
    ) -> None:
        """Begin with nobody.

        Args:
            sure: boxes that score at least this begin tracks.
            min_iou: overlap of a box with where its track is expected, at least.
            follow: how fast a track's expected place follows its boxes: 1 is the Kalman
                filter's own gain, less is more sluggish.
            keep_ns: a track that finds no box for longer ends.
        """
        self._settings = (sure, min_iou, follow, keep_ns)
        self._numbers: dict[str, int] = {}
        self._given = 0
        self._start_ns = self._last_ns = 0
        self._tracks = edgefirst.tracker.ByteTrack(*self._settings)

    def update(
        self, boxes: npt.ArrayLike, scores: npt.ArrayLike, stamp_ns: int
    ) -> npt.NDArray[np.int64]:
        """Number the boxes of the next frame.

        Args:
            boxes: (n, 4): left, top, right, bottom, in one unit throughout, such as pixels.
            scores: (n,), 0..1.
            stamp_ns: the frame's capture time.

        Returns:
            int64 (n,): the track of each box, NOBODY where an unsure box matches none. A box
            that is not finite or has no area is nobody's.

        Raises:
            ValueError: shapes that do not go together.
        """
        places = np.asarray(boxes, np.float32).reshape(-1, 4)
        sureness = np.asarray(scores, np.float32).reshape(-1)
        if len(places) != len(sureness):
            raise ValueError(
                f"expected a score for each of {len(places)} boxes; found {len(sureness)}"
            )
        if stamp_ns < self._last_ns:
            self._restart(stamp_ns)
        self._last_ns = stamp_ns
        usable = np.isfinite(places).all(axis=1) & np.isfinite(sureness)
        usable[usable] = (places[usable, 2:] > places[usable, :2]).all(axis=1)
        numbers = np.full(len(places), NOBODY, np.int64)
        found = self._tracks.update(
            places[usable],
            sureness[usable],
            np.zeros(int(usable.sum()), np.uintp),  # one kind of thing
            stamp_ns - self._start_ns,
        )
        numbers[usable] = [NOBODY if track is None else self._number(track.uuid) for track in found]
        alive = {track.info.uuid for track in self._tracks.get_active_tracks()}
        self._numbers = {uuid: n for uuid, n in self._numbers.items() if uuid in alive}
        return numbers

    def places(self) -> dict[int, tuple[float, float, float, float]]:
        """Where each track is by the Kalman filter, in the boxes' unit: smoothed where the
        last frame had a box for it, expected where it had none."""
        return {
            self._numbers[track.info.uuid]: track.info.tracked_location
            for track in self._tracks.get_active_tracks()
        }

    def _restart(self, stamp_ns: int) -> None:
        self._tracks = edgefirst.tracker.ByteTrack(*self._settings)
        self._numbers.clear()
        # The library takes times from 0.
        self._start_ns = self._last_ns = stamp_ns

    def _number(self, uuid: str) -> int:
        # The library's names are random; order of appearance is not.
        if uuid not in self._numbers:
            self._given += 1
            self._numbers[uuid] = self._given
        return self._numbers[uuid]
