"""The demo's pictures, as PNG bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from reflexarc.cli.box.record import Heard, Run

Image = npt.NDArray[np.uint8]


def firing(run: Run, rule: str) -> Image | None:
    """What the robot saw when a rule fired, with what it found drawn in, RGB."""
    fired = next((event for event in run.of("fired") if event.value["rule"] == rule), None)
    return None if fired is None else _seen_at(run, fired)


def _seen_at(run: Run, event: Heard) -> Image | None:
    if not run.pictures:
        return None
    nearest = min(run.pictures, key=lambda picture: abs(picture[0] - event.mono_ns))
    read = cv2.imread(str(nearest[1]))
    return None if read is None else np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)


def fired_frames(run: Run) -> list[tuple[str, bytes]]:
    """Title and PNG of the frame behind every firing, in order."""
    found = []
    for event in run.of("fired"):
        image = _seen_at(run, event)
        if image is not None:
            title = f"{event.t - run.begin_s:.1f} s: {event.value['text']}"
            found.append((title, cv2.imencode(".png", image[..., ::-1])[1].tobytes()))
    return found


def overview(run: Run, film: Path | None) -> bytes:
    """The run in one picture: what it sees, what the pins do, and the way that it drives."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    eye, pins, road = figure.subplots(1, 3, width_ratios=(1.15, 1.1, 1))
    fired = run.of("fired")
    seen = _seen_at(run, fired[len(fired) // 2]) if fired else None
    if seen is not None:
        eye.imshow(seen)
    eye.set_axis_off()
    eye.set_title("what the robot's camera sees, read by the INT8 net", fontsize=9)
    _draw_pins(pins, run)
    still = None if film is None else _still(film, 0.62)
    if still is not None:
        road.imshow(still)
        road.set_axis_off()
    else:
        _draw_way(road, run)
    road.set_title("the way that the body really drives", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _draw_pins(axis: Any, run: Run) -> None:
    for motor, name in enumerate(("left", "right")):
        rows = run.flight.motor[run.flight.motor[:, 2] == motor]
        axis.step(rows[:, 0] - run.begin_s, rows[:, 3] / 2.55, where="post", lw=0.7, label=name)
    axis.set_title("motor PWM at the emulated ATmega328P's pins", fontsize=9)
    axis.set_xlabel("simulated seconds")
    axis.set_ylabel("duty (%)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7)


def _draw_way(axis: Any, run: Run) -> None:
    axis.plot(run.flight.pose[:, 0], run.flight.pose[:, 1], lw=1.2)
    axis.set_aspect("equal")
    axis.set_xlabel("x (m)")
    axis.set_ylabel("y (m)")
    axis.grid(alpha=0.3)


def _still(film: Path, share: float) -> Image | None:
    """One picture of the film's view from above."""
    capture = cv2.VideoCapture(str(film))
    capture.set(cv2.CAP_PROP_POS_FRAMES, int(share * capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    read, image = capture.read()
    capture.release()
    if not read:
        return None
    height = image.shape[0]
    return np.asarray(cv2.cvtColor(image[:, :height], cv2.COLOR_BGR2RGB), np.uint8)
