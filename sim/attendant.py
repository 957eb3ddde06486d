"""Answers what is asked of a running simulation, between two of its steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reflexarc.core import ReflexarcError
from reflexarc.sim.control import BoxError, Request
from reflexarc.sim.scenario import Do
from reflexarc.sim.scenario_errors import explain

if TYPE_CHECKING:
    from reflexarc.sim.box import Box


_SLACK_S = 1e-6


class Attendant:
    """Takes requests from a box's control socket; `reflexarc.sim.control` lists them."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._waiting: list[tuple[float, Request]] = []

    def serve(self) -> None:
        """Answer all that wait for an answer. Called between two steps."""
        t = self._box.plant.time_s
        for until, request in self._waiting:
            if until <= t:
                request.answer({"t": t})
        self._waiting = [entry for entry in self._waiting if entry[0] > t]
        while (asked := self._box.control.take()) is not None:
            try:
                self._obey(asked)
            except ReflexarcError as error:
                asked.refuse(error)

    def _obey(self, request: Request) -> None:
        values, t = request.values, self._box.plant.time_s
        answer: dict[str, Any] = {"t": t}
        match next(iter(values.items()), ("", None)):
            case ("status", _):
                answer |= self._status()
            case ("begin", _):
                answer["t"] = self._box.world.go(t)
            case ("do", what):
                self._do(what)
            case ("place", [x, y, yaw]) if all(map(_is_number, (x, y, yaw))):
                self._box.plant.place(x, y, math.radians(yaw))
            case ("wait", until) if _is_number(until):
                self._waiting.append((until - _SLACK_S, request))
                return
            case ("end", _):
                self._box.end("it was asked to")
            case _:
                raise BoxError(
                    expected="status, begin, do, place: [x, y, yaw_deg], wait: t, or end",
                    found=str(values)[:100],
                    remedy="see reflexarc/sim/control.py",
                )
        request.answer(answer)

    def _do(self, what: Any) -> None:
        try:
            do = Do.model_validate(what)
            self._box.world.do(do, self._box.plant.time_s)
        except ValidationError as error:
            raise explain(error, Do, "do") from error
        except ValueError as error:
            raise BoxError(
                expected="something that can happen here",
                found=str(error),
                remedy="name what is in the scenario",
            ) from error

    def _status(self) -> dict[str, Any]:
        box = self._box
        plant, began = box.plant, box.world.began_at
        return {
            "scenario_s": None if began is None else plant.time_s - began,
            "pose": plant.pose,
            "still_s": box.world.body.still_s,
            "wheel_speed": plant.wheel_speeds,
            "duty": plant.status.duty,
            "servo_us": plant.status.servo_us,
            "light": plant.status.light,
            "range_m": plant.range_m,
            "battery_v": plant.battery_v,
            "bump": plant.bump,
            "plugged": plant.status.plugged,
            "resets": plant.status.resets,
            "views": box.views,
            "pace": box.pace,
            "emulator_pid": box.board.pid,
        }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
