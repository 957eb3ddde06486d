"""The demo's pictures, as PNG bytes."""

from __future__ import annotations

import io
from typing import Any

import cv2
from matplotlib import colormaps
from matplotlib.figure import Figure

from reflexarc.cli.demo.courier import Drive
from reflexarc.firmware_bridge.emulator import CPU_HZ

_COLOURS = colormaps["tab10"]


def frame(drive: Drive, width: int = 320) -> bytes:
    """The annotated frame that fired the rule."""
    assert drive.picture is not None
    height = round(drive.picture.shape[0] * width / drive.picture.shape[1])
    small = cv2.resize(drive.picture, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", small[..., ::-1])[1].tobytes()


def pwm_trace(drives: list[Drive]) -> bytes:
    """Motor drive on the chip's pins over emulated time, one line a digit."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    for axis, motor, name in zip(
        figure.subplots(2, 1, sharex=True), (0, 1), ("left", "right"), strict=True
    ):
        _draw_trace(axis, drives, motor)
        axis.set_ylabel(f"{name} motor, duty (%)")
        axis.grid(alpha=0.3)
    axis.set_xlabel("seconds of emulated time since the command came in")
    figure.axes[0].legend(ncol=5, fontsize=8, loc="lower right")
    return _png(figure)


def overview(drives: list[Drive]) -> bytes:
    """One frame's way in one picture: what is seen, what the pins do, how far it goes."""
    shown = max(drives, key=lambda drive: drive.size)
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    eye, pins, road = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    if shown.picture is not None:
        eye.imshow(shown.picture)
    eye.set_axis_off()
    eye.set_title("the camera frame, read by the INT8 net", fontsize=10)
    _draw_trace(pins, drives, 0)
    pins.set_title("PWM pin of the emulated ATmega328P", fontsize=10)
    pins.set_xlabel("seconds")
    pins.set_ylabel("duty (%)")
    done = [d for d in drives if d.measured_m is not None]
    road.bar([d.digit for d in done], [d.measured_m for d in done], color="tab:green")
    road.plot([d.digit for d in done], [d.wanted_m for d in done], "k_", markersize=14)
    road.set_xticks(range(10))
    road.set_title("driven, by the encoders (– is the order)", fontsize=10)
    road.set_xlabel("digit on the card")
    road.set_ylabel("metres")
    for axis in (pins, road):
        axis.grid(alpha=0.3)
    return _png(figure)


def _draw_trace(axis: Any, drives: list[Drive], motor: int) -> None:
    for drive in drives:
        changes = [change for change in drive.trace.motor if change.motor == motor]
        if not changes:
            continue
        start = changes[0].cycle
        times = [(change.cycle - start) / CPU_HZ for change in changes]
        duty = [change.duty / 2.55 for change in changes]
        axis.step(
            times, duty, where="post", color=_COLOURS(drive.digit), lw=0.9, label=str(drive.digit)
        )


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
