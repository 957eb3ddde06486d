"""Sit-ups counted in real clips: INT8 pose, then both counters, side by side."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reflexarc.core import ReflexarcError
from reflexarc.models.situps.score import Take, follow, looped
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.runtime import Model
from reflexarc.perception.tasks.pose.movenet import MoveNet
from reflexarc.perception.tasks.situps.cycle import PHASES, Count
from reflexarc.perception.tasks.situps.geometry import GeometricCounter
from reflexarc.perception.tasks.situps.phases import PhaseCounter

SUFFIXES = (".gif", ".mp4", ".avi", ".mov", ".mkv", ".webm")
LOOPS = 10
"""An animation plays again and again; a clip of a camera plays once."""

_COLOURS = ("#4c78a8", "#f2cf5b", "#e45756", "#72b7b2", "#eeeeee")  # of the phases


class ClipError(ReflexarcError):
    """A clip that cannot be read."""


@dataclass(frozen=True)
class ClipCount:
    """What both counters made of a clip.

    Attributes:
        frames: in one pass; `loops` passes were watched.
        bodies: frames of one pass in which the pose net saw somebody.
        net, geometric: full repetitions counted.
        net_partial, geometric_partial: attempts that did not get up far enough.
    """

    clip: str
    frames: int
    loops: int
    bodies: int
    net: int
    geometric: int
    net_partial: int
    geometric_partial: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def watch(path: Path, pose: Model, tell: Callable[[int], None] = lambda frame: None) -> Take:
    """The poses of a clip, frame by frame, each searched around the last one.

    Args:
        path: anything that OpenCV reads.
        pose: a MoveNet model file.
        tell: is called with the number of frames done.

    Returns:
        A take whose true count is unknown (0).

    Raises:
        ClipError: no frame of it can be read.
    """
    clip = cv2.VideoCapture(str(path))
    movenet = MoveNet(pose, track=True)
    rate = clip.get(cv2.CAP_PROP_FPS)
    period_ns = round(1e9 / rate) if rate > 0 else 40_000_000
    poses: list[Pose | None] = []
    try:
        while True:
            whole, frame = clip.read()
            if not whole:
                break
            rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
            poses.append(movenet.pose(rgb))
            tell(len(poses))
    finally:
        clip.release()
    if len(poses) < 2:
        raise ClipError(
            expected="a clip or animation that OpenCV can read",
            found=f"{len(poses)} frames in {path}",
            remedy="convert it, for example with ffmpeg",
        )
    return Take(path.name, poses, [i * period_ns for i in range(len(poses))], 0)


@dataclass(frozen=True)
class Watched:
    """A clip and what both counters said at every frame of all loops.

    Attributes:
        result: the closing figures.
        seconds: float64 (n,), time of each frame.
        net, geometric: the counters' answers, one a frame.
    """

    result: ClipCount
    seconds: npt.NDArray[np.float64]
    net: list[Count]
    geometric: list[Count]


def count(take: Take, situps: Model) -> Watched:
    """Let both counters watch a take, ten times in a row where it is an animation."""
    loops = LOOPS if take.name.lower().endswith(".gif") else 1
    whole = looped(take, loops, 0) if loops > 1 else take
    net, geometric = follow(PhaseCounter(situps), whole), follow(GeometricCounter(), whole)
    result = ClipCount(
        clip=take.name,
        frames=len(take.poses),
        loops=loops,
        bodies=sum(pose is not None for pose in take.poses),
        net=net[-1].full,
        geometric=geometric[-1].full,
        net_partial=net[-1].partial,
        geometric_partial=geometric[-1].partial,
    )
    return Watched(result, np.array(whole.stamps_ns) / 1e9, net, geometric)


def count_folder(
    folder: Path, pose: Model, situps: Model, tell: Callable[[str], None] = lambda clip: None
) -> list[Watched]:
    """`count` for every clip of a folder, in the order of their names."""
    counted = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            tell(path.name)
            counted.append(count(watch(path, pose), situps))
    return counted


def chart(watched: Sequence[Watched]) -> bytes:
    """A PNG: for each clip the counts over time of both counters, above the net's phases."""
    figure = Figure(figsize=(9, 2.2 * len(watched)), layout="constrained")
    axes = np.atleast_1d(np.asarray(figure.subplots(len(watched), 1)))
    colours = dict(
        zip(PHASES, ("#4c78a8", "#f2cf5b", "#e45756", "#72b7b2", "#eeeeee"), strict=True)
    )
    for axis, one in zip(axes.tolist(), watched, strict=True):
        phases = [said.phase for said in one.net]
        starts = [0, *(i for i in range(1, len(phases)) if phases[i] != phases[i - 1])]
        for start, end in zip(starts, [*starts[1:], len(phases) - 1], strict=True):
            axis.axvspan(
                one.seconds[start], one.seconds[end], color=colours[phases[start]], alpha=0.5, lw=0
            )
        for said, name, style in ((one.net, "net", "-"), (one.geometric, "geometric", "--")):
            axis.step(one.seconds, [s.full for s in said], style, where="post", label=name)
        axis.set_title(f"{one.result.clip}, {one.result.loops} x", loc="left", fontsize=9)
        axis.set_xlabel("seconds")
        axis.set_ylabel("sit-ups")
        axis.set_xlim(one.seconds[0], one.seconds[-1])
        axis.set_ylim(0, max(1, one.result.net, one.result.geometric) * 1.15)
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    handles, names = axes[0].get_legend_handles_labels()
    patches = [Patch(color=colour, alpha=0.5) for colour in colours.values()]
    figure.legend(
        [*handles, *patches], [*names, *PHASES], ncols=7, loc="outside lower center", fontsize=8
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
