"""A flight log as arrays, and what tests and films ask of it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError

Array = npt.NDArray[np.float64]


class FlightError(ReflexarcError):
    """A flight log that cannot be read, or does not reach so far."""


@dataclass
class Flight:
    """What happened. Times are simulated seconds, sorted; wall times are monotonic ns.

    `state` arrays have one row per state line, n in all (20 ms apart):

    Attributes:
        start: the ``start`` line; {} when it was not written yet.
        end: the ``end`` line; {} while the run lasts, and when it was killed.
        t, mono_ns: (n,)
        pose: (n, 3), x and y in metres, yaw in radians (continuous over turns).
        wheel_speed: (n, 2), m/s, left and right.
        duty: (n, 2), -255..255, at the pins at that moment.
        encoder: (n, 2), edges.
        servo_us: (n, 3), pan, tilt, gripper; 0 where no pulse comes.
        light: (n, 3), red, green, blue.
        range_m: (n,), NaN for nothing in reach.
        battery_v: (n,)
        bump, plugged: (n,) bool.
        resets: (n,)
        qpos: (n, nq), MuJoCo's.
        motor: (m, 4): t, wall_ns, motor (0 left), duty; each change of a PWM pin.
        frames: (k, 4): first t, first wall_ns, end t, end wall_ns; frames from the host.
        lines: all others, by kind.
    """

    start: dict[str, Any]
    end: dict[str, Any]
    t: Array
    mono_ns: npt.NDArray[np.int64]
    pose: Array
    wheel_speed: Array
    duty: npt.NDArray[np.int64]
    encoder: npt.NDArray[np.int64]
    servo_us: Array
    light: npt.NDArray[np.int64]
    range_m: Array
    battery_v: Array
    bump: npt.NDArray[np.bool_]
    plugged: npt.NDArray[np.bool_]
    resets: npt.NDArray[np.int64]
    qpos: Array
    motor: Array
    frames: Array
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | str) -> Flight:
        """Read a log, also one that is being written, or whose writer was killed.

        Raises:
            FlightError: no such file, or something else.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise FlightError(
                expected=f"a flight log at {str(path)!r}",
                found=error.strerror or str(error),
                remedy='it is the "flight" in the line that `python -m reflexarc.sim` prints',
            ) from error
        # What follows the last line's end is still being written.
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), 1):
            try:
                values = json.loads(line)
                by_kind.setdefault(values["kind"], []).append(values)
            except (ValueError, KeyError, TypeError) as error:
                raise FlightError(
                    expected=f"a flight log in {str(path)!r}",
                    found=f"line {number}: {line[:60]!r}",
                    remedy="name a file that a simulation has written",
                ) from error
        return cls._from_lines(by_kind)

    @classmethod
    def _from_lines(cls, by_kind: dict[str, list[dict[str, Any]]]) -> Flight:
        states = by_kind.pop("state", [])

        def column(key: str, kind: Any, width: int = 0) -> Any:
            values = [math.nan if s[key] is None else s[key] for s in states]
            return np.array(values, kind).reshape((len(states), width) if width else len(states))

        pose = column("pose", np.float64, 3)
        pose[:, 2] = np.unwrap(pose[:, 2])
        motor = [[m["t"], m["wall_ns"], m["motor"], m["duty"]] for m in by_kind.pop("motor", [])]
        frames = [
            [f["t"], f["wall_ns"], f["end_t"], f["end_wall_ns"]] for f in by_kind.pop("frame", [])
        ]
        starts, ends = by_kind.pop("start", [{}]), by_kind.pop("end", [{}])
        return cls(
            starts[0],
            ends[-1],
            column("t", np.float64),
            column("mono_ns", np.int64),
            pose,
            column("wheel_speed", np.float64, 2),
            column("duty", np.int64, 2),
            column("encoder", np.int64, 2),
            column("servo_us", np.float64, 3),
            column("light", np.int64, 3),
            column("range_m", np.float64),
            column("battery_v", np.float64),
            column("bump", np.bool_),
            column("plugged", np.bool_),
            column("resets", np.int64),
            np.array([s["qpos"] for s in states], np.float64),
            np.array(sorted(motor), np.float64).reshape(-1, 4),
            np.array(frames, np.float64).reshape(-1, 4),
            by_kind,
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """What of the scenario happened: each has t and do."""
        return self.lines.get("event", [])

    @cached_property
    def seconds(self) -> float:
        """Up to where it reaches."""
        return float(self.t[-1]) if len(self.t) else 0.0

    def event_at(self, name: str, number: int = 0) -> float:
        """When something happened: "unplug", "show", ...

        Raises:
            FlightError: it did not, so often.
        """
        times = [float(event["t"]) for event in self.events if name in event["do"]]
        if number >= len(times):
            raise FlightError(
                expected=f"event {name} number {number}",
                found=f"{len(times)} of them in {self.seconds:.2f} s",
                remedy="wait for it, or run longer",
            )
        return times[number]

    # ---- times

    def t_at(self, mono_ns: float) -> float:
        """The simulated time of a monotonic wall time, between the states around it."""
        self._needs_states()
        return float(np.interp(mono_ns - self.mono_ns[0], self.mono_ns - self.mono_ns[0], self.t))

    def mono_ns_at(self, t: float) -> int:
        """The monotonic wall time of a simulated time."""
        self._needs_states()
        offset = np.interp(t, self.t, self.mono_ns - self.mono_ns[0])
        return int(self.mono_ns[0]) + round(float(offset))

    # ---- the body

    def pose_at(self, t: float) -> tuple[float, float, float]:
        """x and y in metres, yaw in radians (more than pi after several turns)."""
        self._needs_states()
        x, y, yaw = (float(np.interp(t, self.t, self.pose[:, i])) for i in range(3))
        return x, y, yaw

    def travelled(self, since: float, until: float) -> float:
        """Metres from where it was to where it is then, along its heading at first."""
        x0, y0, yaw = self.pose_at(since)
        x1, y1, _ = self.pose_at(until)
        return (x1 - x0) * math.cos(yaw) + (y1 - y0) * math.sin(yaw)

    def turned(self, since: float, until: float) -> float:
        """Radians, left is positive."""
        return self.pose_at(until)[2] - self.pose_at(since)[2]

    def wheels_stopped_at(self, after: float, *, speed: float = 0.01, hold_s: float = 0.2) -> float:
        """From when on both wheels are slower than `speed` (m/s) for `hold_s` at least.

        Raises:
            FlightError: they never are.
        """
        slow = (np.abs(self.wheel_speed) < speed).all(axis=1) & (self.t >= after)
        begin: float | None = None
        for t, is_slow in zip(self.t.tolist(), slow.tolist(), strict=True):
            if not is_slow:
                begin = None
                continue
            begin = t if begin is None else begin
            if t - begin >= hold_s - 1e-9:
                return begin
        raise self._never(f"wheels that stand still after {after:g} s")

    # ---- the pins

    def duty_after(self, t: float) -> Array:
        """The changes of the PWM pins from then on, rows as in `motor`."""
        return self.motor[self.motor[:, 0] >= t]

    def duty_at(self, t: float) -> tuple[int, int]:
        """Of both motors at that moment, -255..255."""
        last = [0, 0]
        for row in self.motor[self.motor[:, 0] <= t]:
            last[int(row[2])] = int(row[3])
        return last[0], last[1]

    def first_drive_after(self, t: float) -> float:
        """When a motor first gets something after that.

        Raises:
            FlightError: never.
        """
        later = self.duty_after(t)
        later = later[later[:, 3] != 0]
        if not len(later):
            raise self._never(f"a motor that is driven after {t:g} s")
        return float(later[0, 0])

    def motors_off_at(self, after: float) -> float:
        """When both motors' pins come to rest after that, and stay so for 0.1 s; `after` if
        they rest already.

        Raises:
            FlightError: they never do.
        """
        duty = list(self.duty_at(after))
        rest = after if duty == [0, 0] else None
        for t, _, motor, value in self.duty_after(after).tolist():
            if rest is not None and t - rest >= 0.1:
                return rest
            duty[int(motor)] = int(value)
            rest = (t if rest is None else rest) if duty == [0, 0] else None
        if rest is None:
            raise self._never(f"motors that are off after {after:g} s")
        return rest

    def _never(self, what: str) -> FlightError:
        return FlightError(
            expected=what,
            found=f"none until {self.seconds:.2f} s",
            remedy="look at the log around that time, or run longer",
        )

    def _needs_states(self) -> None:
        if not len(self.t):
            raise FlightError(
                expected="states in the flight log", found="none yet", remedy="wait a moment"
            )
