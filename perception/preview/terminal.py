"""A view in a terminal, over ssh too: the picture in half blocks, what is seen beside it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from reflexarc.perception.observation import Box, Keypoint, Observation
from reflexarc.perception.overlay import draw
from reflexarc.perception.preview.view import PreviewError, View

if TYPE_CHECKING:
    from typing_extensions import Self

Image = npt.NDArray[np.uint8]

_LEAST_S = 0.1
"""Between two pictures: more would fill a slow line."""
_SIDE = 34
_MOST_ROWS = 12


class TerminalView:
    """Shows views on the terminal's other screen, ten a second at most."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take over the terminal until `close`.

        Raises:
            PreviewError: it is none.
        """
        if not console.is_terminal:
            raise PreviewError(
                expected="a terminal to show frames in",
                found="output into a file or a pipe",
                remedy="leave --terminal out, or use --serve 8080 and a browser",
            )
        self._console = console
        self._clock = clock
        self._next = clock()
        self._live = Live(console=console, screen=True, auto_refresh=False)
        try:
            self._live.start()
        except BaseException:  # Ctrl-C while it takes the screen
            self._live.stop()
            raise

    def show(self, view: View) -> None:
        """Show it, unless the last one has just been shown."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _LEAST_S
        self._live.update(layout(view, *self._console.size), refresh=True)

    def close(self) -> None:
        """Give the terminal back as it was. Twice is fine."""
        self._live.stop()

    def __enter__(self) -> Self:
        """The view itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


def layout(view: View, width: int, height: int) -> RenderableType:
    """The picture, and what is seen beside it, or below where the terminal is narrow."""
    side = _side(view)
    if width >= 2 * _SIDE:
        grid = Table.grid(padding=(0, 1))
        grid.add_column()
        grid.add_column(width=_SIDE)
        grid.add_row(_picture(view, width - _SIDE - 2, height), side)
        return grid
    return Group(_picture(view, width, max(4, height // 2)), side)


class HalfBlocks:
    """A picture (uint8 RGB) for rich: two pixels in each character, one over the other."""

    def __init__(self, image: Image) -> None:
        height, width = image.shape[0] // 2 * 2, image.shape[1]
        # Five bits of each colour: neighbours become equal, and the line carries less.
        pixels = image[:height] & 0xF8
        self._rows = pixels.reshape(height // 2, 2, width, 3).transpose(0, 2, 1, 3)
        self.width = width

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One segment for each run of equal characters."""
        half = "▀" if options.encoding.lower().startswith("utf") else " "
        for row in self._rows.reshape(len(self._rows), self.width, 6):
            starts = np.flatnonzero(np.any(row[1:] != row[:-1], axis=1)) + 1
            edges = [0, *starts.tolist(), self.width]
            for start, end in itertools.pairwise(edges):
                yield Segment(half * (end - start), _style(*row[start].tolist()))
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Its width, no less."""
        return Measurement(self.width, self.width)


@lru_cache(maxsize=1 << 14)
def _style(*rgb_rgb: int) -> Style:
    top, bottom = (Color.from_rgb(*rgb_rgb[at : at + 3]) for at in (0, 3))
    return Style(color=top, bgcolor=bottom)


def _picture(view: View, columns: int, rows: int) -> HalfBlocks:
    height, width = view.frame.image.shape[:2]
    factor = min(columns / width, 2 * rows / height)
    size = (max(1, round(width * factor)), max(2, round(height * factor) // 2 * 2))
    small = np.asarray(cv2.resize(view.frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    said = [scaled(observation, factor) for observation in view.observations]
    return HalfBlocks(draw(small, said, marks=view.marks.scaled(factor), words=False))


def scaled(observation: Observation, factor: float) -> Observation:
    """The same, said of a picture of another size."""
    return replace(
        observation,
        detections=tuple(
            replace(
                found,
                box=Box(
                    *(factor * v for v in (found.box.x, found.box.y)),
                    *(factor * v for v in (found.box.width, found.box.height)),
                ),
                keypoints=tuple(
                    Keypoint(factor * p.x, factor * p.y, p.score) for p in found.keypoints
                ),
            )
            for found in observation.detections
        ),
    )


def _side(view: View) -> RenderableType:
    seen = Table.grid(padding=(0, 1), expand=True)
    seen.add_column()
    seen.add_column(justify="right")
    for observation in view.observations:
        for found in observation.detections[:_MOST_ROWS]:
            track = "" if found.track is None else f"#{found.track} "
            # Text: a label is no markup.
            seen.add_row(Text(f"{track}{found.label}"), f"{100 * found.score:.0f} %")
        for name, count in observation.counts.items():
            seen.add_row(Text(name, "bold"), str(count))
    if not seen.row_count:
        seen.add_row("nothing", "")
    return Group(seen, Text(), *_going(view.statistics), Text("Ctrl-C ends", "dim"))


def _going(statistics: Mapping[str, Any]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if camera := statistics.get("camera"):
        fps = "" if camera["fps"] is None else f", {camera['fps']:.1f} fps"
        lines.append(Text(f"camera {camera['health']}{fps}, {camera['dropped']} dropped", "dim"))
    if tasks := statistics.get("tasks"):
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column()
        for _ in range(3):
            table.add_column(justify="right")
        table.add_row("", "p50", "p99 ms", "dropped", style="dim")
        for name, task in tasks.items():
            times = ("–" if v is None else f"{v:.1f}" for v in task["look_ms"] or (None, None))
            table.add_row(Text(name), *times, str(task["dropped"]), style="dim")
        lines.append(table)
    return lines
