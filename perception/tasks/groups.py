"""From connected components to groups that could be one character each.

Everything is computed for all components at once: a photo has hundreds, and only
a handful may be left for a closer look. The limits were chosen by trial on MNIST
digits pasted onto photos: recall of the cards against candidates a photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.sheet import MAX_SIDE, Sheet

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

GRAIN = 2
"""Grey levels of camera noise that an even surface may have."""

SPECK = 6
"""Components of fewer pixels are no part of a character."""

GAP = 3
"""Parts of one character (the bar of a 5, a broken stroke) are closer than the
larger part's longest side divided by this."""

SEED = 0.6
"""The larger part has at least this share of a character's smallest side."""

WIDEST, SLIMMEST = 2.1, 0.12
"""Width by height."""

THINNEST, FULLEST = 0.07, 0.72
"""Area by longest side squared."""

NOISE_SLENDER, NOISE, NOISE_SEED = 0.1, 0.15, 0.4
"""Mean response in the frame of two pixels around the box, by mean strength."""

UNEVEN_SLENDER, UNEVEN = 0.06, 0.1
"""How far three fifths of the pixels around the box are at most from their
median, by mean strength. A bar is in every photo: it has to stand alone to be a
one."""

_FRAME = 2  # pixels from the box to where its surroundings are sampled
_SAMPLES = np.linspace(0.0, 1.0, 8)  # on each side of the box
_MIDDLE, _MOST = 16, 18  # ranks among the 32 sorted samples


@dataclass(frozen=True, slots=True)
class Groups:
    """What is left.

    Attributes:
        boxes: int32 (n, 4), left, top, right, bottom on the sheet.
        kind: (n,), 0 for light strokes, 1 for dark ones.
        tile: (n,), the tile that each is on.
        labels: the components of each.
        noise: float64 (n,), see NOISE.
    """

    boxes: Ints
    kind: Indices
    tile: Indices
    labels: list[tuple[int, ...]]
    noise: Floats


class _Parts:
    """Strokes by box, kind, tile and area, and what is measured around them."""

    def __init__(
        self, sheet: Sheet, total: Ints, boxes: Ints, kind: Indices, tile: Indices, area: Ints
    ) -> None:
        self.sheet, self.total = sheet, total
        self.boxes, self.kind, self.tile, self.area = boxes, kind, tile, area
        self.width = boxes[:, 2] - boxes[:, 0]
        self.height = boxes[:, 3] - boxes[:, 1]
        self.side = np.maximum(self.width, self.height)
        self.response = self._sum(boxes)
        self.strength = self.response / area

    def take(self, which: Indices) -> _Parts:
        boxes, kind, tile = self.boxes[which], self.kind[which], self.tile[which]
        return _Parts(self.sheet, self.total, boxes, kind, tile, self.area[which])

    def whole(self) -> Bools:
        """What touches the picture's border goes on beyond it."""
        tiles = self.sheet.tiles[self.tile]
        low, high = self.boxes[:, :2] > tiles[:, :2], self.boxes[:, 2:] < tiles[:, 2:]
        return np.asarray(low[:, 0] & low[:, 1] & high[:, 0] & high[:, 1])

    def shaped(self) -> Bools:
        fill = self.area / (self.side * self.side)
        return np.asarray(
            (self.side >= self.sheet.smallest[self.tile])
            & (self.side <= MAX_SIDE)
            & (self.width <= WIDEST * self.height)
            & (self.width >= SLIMMEST * self.height)
            & (fill >= THINNEST)
            & (fill <= FULLEST)
        )

    def noise(self) -> Floats:
        frame = self._frame()
        area = (frame[:, 2] - frame[:, 0]) * (frame[:, 3] - frame[:, 1])
        outside = (self._sum(frame) - self.response) / np.maximum(
            area - self.width * self.height, 1
        )
        return np.asarray(np.maximum(outside - GRAIN, 0) / self.strength)

    def unevenness(self) -> Floats:
        x1, y1, x2, y2 = (column[:, None] for column in self._frame().T)
        xs = x1 + (_SAMPLES * (x2 - 1 - x1)).astype(np.int32)
        ys = y1 + (_SAMPLES * (y2 - 1 - y1)).astype(np.int32)
        x1, y1, x2, y2 = (np.broadcast_to(v, xs.shape) for v in (x1, y1, x2 - 1, y2 - 1))
        rows, columns = np.hstack([y1, y2, ys, ys]), np.hstack([xs, xs, x1, x2])
        values = self.sheet.gray[rows, columns].astype(np.int16)
        values.sort(axis=1)
        off = np.abs(values - values[:, _MIDDLE, None])
        off.sort(axis=1)
        return np.asarray(np.maximum(off[:, _MOST] - GRAIN, 0) / self.strength)

    def _frame(self) -> Ints:
        tiles = self.sheet.tiles[self.tile]
        low = np.maximum(self.boxes[:, :2] - _FRAME, tiles[:, :2])
        return np.hstack([low, np.minimum(self.boxes[:, 2:] + _FRAME, tiles[:, 2:])])

    def _sum(self, boxes: Ints) -> Ints:
        """Responses summed over boxes, by the integral image."""
        (x1, y1, x2, y2), total, kind = boxes.T, self.total, self.kind
        return np.asarray(
            total[kind, y2, x2] - total[kind, y1, x2] - total[kind, y2, x1] + total[kind, y1, x1]
        )


def group_strokes(sheet: Sheet, stats: Sequence[Ints], total: Ints) -> Groups:
    """Join what belongs together; keep what has a character's size and surroundings.

    Args:
        sheet: the picture's octaves.
        stats: `cv2.connectedComponentsWithStats` of its light and its dark mask.
        total: memory for their integral images, int32 (2, h + 1, w + 1).
    """
    parts, names = _parts(sheet, stats, total)
    # The cheap tests first, each on what the one before has left.
    seeds = np.flatnonzero((parts.side >= SEED * sheet.smallest[parts.tile]) & parts.whole())
    seeds, _ = _calm(parts, seeds, NOISE_SEED, UNEVEN)

    single, noise = _calm(parts, seeds[parts.take(seeds).shaped()])
    alone = parts.take(single)
    labels: list[tuple[int, ...]] = [(int(names[k]),) for k in single]
    members = _near_parts(parts, seeds)
    if not members:
        return Groups(alone.boxes, alone.kind, alone.tile, labels, noise)
    flat = np.concatenate(members)
    starts = np.cumsum([0] + [len(m) for m in members[:-1]])
    low = np.minimum.reduceat(parts.boxes[flat, :2], starts)
    high = np.maximum.reduceat(parts.boxes[flat, 2:], starts)
    kind, tile = parts.kind[flat[starts]], parts.tile[flat[starts]]
    area = np.add.reduceat(parts.area[flat], starts)
    joined = _Parts(sheet, parts.total, np.hstack([low, high]), kind, tile, area)
    kept, more_noise = _calm(joined, np.flatnonzero(joined.shaped() & joined.whole()))
    return Groups(
        np.vstack([alone.boxes, joined.boxes[kept]]),
        np.append(alone.kind, kind[kept]),
        np.append(alone.tile, tile[kept]),
        labels + [tuple(names[members[k]].tolist()) for k in kept],
        np.append(noise, more_noise),
    )


def _parts(sheet: Sheet, stats: Sequence[Ints], total: Ints) -> tuple[_Parts, Indices]:
    """All components of a useful size, sorted by kind and tile, and their labels."""
    kind = np.repeat([0, 1], [len(s) for s in stats])
    name = np.concatenate([np.arange(len(s)) for s in stats])
    x, y, w, h, area = np.vstack(stats).T
    useful = np.flatnonzero((name > 0) & (area >= SPECK) & (np.maximum(w, h) <= MAX_SIDE))
    left, top, right, bottom = sheet.tiles.T
    x_, y_ = x[useful, None], y[useful, None]
    tile = ((x_ >= left) & (x_ < right) & (y_ >= top) & (y_ < bottom)).argmax(1)
    order = np.argsort(kind[useful] * len(left) + tile, kind="stable")
    k, tile = useful[order], tile[order]
    boxes = np.stack([x[k], y[k], x[k] + w[k], y[k] + h[k]], axis=1)
    for response, sums in zip(sheet.response, total, strict=True):
        cv2.integral(response, sums)
    return _Parts(sheet, total, boxes, kind[k], tile, area[k]), name[k]


def _calm(
    parts: _Parts,
    which: Indices,
    noise_limit: float | None = None,
    uneven_limit: float | None = None,
) -> tuple[Indices, Floats]:
    """Those with an even surface around them, and their noise."""
    some = parts.take(which)
    slender = 2 * some.width < some.height
    noise = some.noise()
    calm = noise < (noise_limit or np.where(slender, NOISE_SLENDER, NOISE))
    which, noise, slender = which[calm], noise[calm], slender[calm]
    uneven = parts.take(which).unevenness()
    calm = uneven < (uneven_limit or np.where(slender, UNEVEN_SLENDER, UNEVEN))
    return which[calm], noise[calm]


def _near_parts(parts: _Parts, seeds: Indices) -> list[Indices]:
    """Each seed with the one or two smaller parts of like strength beside it."""
    places = parts.kind * len(parts.sheet.tiles) + parts.tile
    found: list[Indices] = []
    for place in np.unique(places[seeds]):
        start, stop = np.searchsorted(places, [place, place + 1])
        here = seeds[(seeds >= start) & (seeds < stop)]
        boxes, area = parts.boxes[start:stop], parts.area[start:stop]
        strength = parts.strength[start:stop]
        own, ink, weight = parts.boxes[here], parts.area[here, None], parts.strength[here, None]
        gap = np.maximum(3, parts.side[here] // GAP)[:, None]
        near = (boxes[:, 0] - own[:, 2:3] < gap) & (own[:, 0:1] - boxes[:, 2] < gap)
        near &= (boxes[:, 1] - own[:, 3:4] < gap) & (own[:, 1:2] - boxes[:, 3] < gap)
        near &= (area <= ink) & (area >= 0.06 * ink)
        near &= (strength > 0.5 * weight) & (strength < 2.0 * weight)
        near[np.arange(len(here)), here - start] = False
        count = near.sum(1)
        found += [
            np.append(np.flatnonzero(near[k]) + start, here[k])
            for k in np.flatnonzero((count > 0) & (count <= 2))
        ]
    return found
