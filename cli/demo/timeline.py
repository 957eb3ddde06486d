"""A run in one picture: frame, observation, action, serial line, motor pins, by simulated time."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from reflexarc.cli.box.record import Run

_COLOURS = colormaps["tab10"]
_BIN_S = 0.1
_LEAST_LABEL = 0.02
"""An action that takes less of the picture's width is not labelled."""


def picture(run: Run) -> bytes:
    """PNG, 1,430 pixels wide."""
    figure = Figure(figsize=(13, 8.6), layout="constrained")
    axes = figure.subplots(6, 1, sharex=True, height_ratios=(1.1, 1.5, 1, 1.2, 1.2, 1.2))
    for axis, draw in zip(axes, (_seen, _done, _serial, _left, _right, _servos), strict=True):
        draw(axis, run)
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_title(
        f"{run.scenario.name}: from what it sees to what its pins do", fontsize=11, loc="left"
    )
    axes[-1].set_xlabel("simulated seconds")
    axes[-1].set_xlim(0, run.end_s - run.begin_s)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _seen(axis: Any, run: Run) -> None:
    """A dot for each thing in each frame."""
    rows: dict[str, list[float]] = {"frames": sorted({o.t for o in run.observations})}
    for heard in run.observations:
        for found in heard.value["detections"]:
            name = f"{heard.value['task']}: {found['label']}"
            rows.setdefault(name, []).append(heard.t)
    names = ["frames", *sorted(set(rows) - {"frames"})]
    for row, name in enumerate(names):
        times = np.array(rows[name]) - run.begin_s
        axis.plot(times, np.full(len(times), row), ".", ms=2.5, color=_COLOURS(row % 10))
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.invert_yaxis()


def _done(axis: Any, run: Run) -> None:
    """What was ordered, what fired, and how long each action took."""
    length = run.end_s - run.begin_s
    begun: dict[str, float] = {}
    bars: dict[str, int] = {}
    for heard in run.events:
        value = heard.value
        action = value["action"] or {}
        name, key = str(action.get("do", "")), str(value["action"])
        if value["event"] == "started":
            begun[key] = heard.t
        elif value["event"] in ("finished", "failed") and key in begun:
            start = begun.pop(key)
            row = bars.setdefault(name, len(bars))
            colour = _COLOURS(row % 10) if value["event"] == "finished" else "tab:red"
            axis.barh(row, heard.t - start, left=start - run.begin_s, height=0.7, color=colour)
            if heard.t - start > _LEAST_LABEL * length:
                middle = (start + heard.t) / 2 - run.begin_s
                axis.text(middle, row, _brief(action), fontsize=6, ha="center", va="center")
    for heard in run.orders:
        axis.axvline(heard.t - run.begin_s, color="black", lw=0.8, ls="--")
    for heard in run.of("fired"):
        axis.axvline(heard.t - run.begin_s, color="tab:blue", lw=0.6)
    axis.set_yticks(range(len(bars)), list(bars), fontsize=8)
    axis.set_ylabel("actions\n(-- order, | rule)", fontsize=8)


def _brief(action: dict[str, Any]) -> str:
    return " ".join(
        f"{value:g}" if isinstance(value, float) else str(value)
        for key, value in action.items()
        if key != "do" and not isinstance(value, (list, dict)) and value is not None
    )


def _serial(axis: Any, run: Run) -> None:
    """Frames from the host on the serial line, by tenth of a second."""
    times = run.flight.frames[:, 2] - run.begin_s if len(run.flight.frames) else np.zeros(0)
    counts, edges = np.histogram(times, np.arange(0, run.end_s - run.begin_s + _BIN_S, _BIN_S))
    axis.fill_between(edges[:-1], counts / _BIN_S, step="post", color="tab:purple", alpha=0.6)
    axis.set_ylabel("commands/s\non the line", fontsize=8)


def _left(axis: Any, run: Run) -> None:
    _pwm(axis, run, 0, "left")


def _right(axis: Any, run: Run) -> None:
    _pwm(axis, run, 1, "right")


def _pwm(axis: Any, run: Run, motor: int, name: str) -> None:
    rows = run.flight.motor[run.flight.motor[:, 2] == motor]
    axis.step(rows[:, 0] - run.begin_s, rows[:, 3] / 2.55, where="post", lw=0.8, color="tab:green")
    axis.set_ylabel(f"{name} motor\nPWM, %", fontsize=8)
    speed = axis.twinx()
    speed.plot(run.flight.t - run.begin_s, run.flight.wheel_speed[:, motor], lw=0.8, color="gray")
    speed.set_ylabel("m/s", fontsize=7, color="gray")
    speed.tick_params(labelsize=7)


def _servos(axis: Any, run: Run) -> None:
    for number, name in enumerate(("pan", "tilt", "gripper")):
        pulses = np.where(
            run.flight.servo_us[:, number] > 0, run.flight.servo_us[:, number], np.nan
        )
        axis.plot(run.flight.t - run.begin_s, pulses, lw=0.9, label=name)
    for bit, colour in enumerate(("red", "green", "blue")):
        on = run.flight.light[:, bit] > 0
        axis.fill_between(
            run.flight.t - run.begin_s, 0, 1, where=on, transform=axis.get_xaxis_transform(),
            color=colour, alpha=0.12, lw=0,
        )  # fmt: skip
    axis.set_ylabel("servo pulse, us\nand light", fontsize=8)
    axis.legend(fontsize=7, ncol=3, loc="upper right")
