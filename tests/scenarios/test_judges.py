"""What the judges read out of a flight log: drawn by hand here, so that each can fail."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reflexarc.cli.box.judges import Judge
from reflexarc.cli.box.judges.signals import (
    expected_pose,
    legs,
    lights,
    nods,
    shaken_at,
    waved,
)
from reflexarc.cli.box.judges.trainer import completions
from reflexarc.cli.box.record import Heard, Run
from reflexarc.sim.flight_reader import Flight
from reflexarc.sim.scenario import load_scenario

Signals = dict[str, Callable[[float], Any]]
STILL: dict[str, Any] = {
    "pose": (0.0, 0.0, 0.0),
    "wheel_speed": (0.0, 0.0),
    "duty": (0, 0),
    "encoder": (0, 0),
    "servo_us": (1500.0, 1500.0, 1500.0),
    "light": (0, 0, 0),
    "range_m": None,
    "battery_v": 7.6,
    "bump": False,
    "resets": 0,
    "plugged": True,
    "qpos": [0.0],
}


def us(pan: float = 0.0, tilt: float = 0.0, gripper: float = 0.0) -> tuple[float, float, float]:
    pulses = [1500 + angle * 1000 / 90 for angle in (pan, tilt, gripper)]
    return pulses[0], pulses[1], pulses[2]


@pytest.fixture
def fly(tmp_path: Path) -> Callable[..., Flight]:
    """A flight of so many seconds with signals that are functions of time."""

    def flown(seconds: float, *lines: dict[str, Any], **signals: Callable[[float], Any]) -> Flight:
        path = tmp_path / "flight.jsonl"
        rows: list[dict[str, Any]] = list(lines)
        for number in range(round(seconds / 0.02) + 1):
            t = number * 0.02
            row = {"kind": "state", "t": t, "mono_ns": int(t * 1e9), **STILL}
            rows.append({**row, **{name: signal(t) for name, signal in signals.items()}})
        path.write_text("\n".join(map(json.dumps, sorted(rows, key=lambda row: row["t"]))) + "\n")
        return Flight.read(path)

    return flown


def run_of(scenario: str, flight: Flight, events: list[tuple[float, dict[str, Any]]]) -> Run:
    return Run(
        scenario=load_scenario(scenario),
        engine="process",
        folder=Path(),
        flight=flight,
        begin_s=0.0,
        end_s=flight.seconds,
        events=[Heard(t, int(t * 1e9), event) for t, event in events],
    )


def event(kind: str, **action: Any) -> dict[str, Any]:
    return {"event": kind, "text": kind, "rule": None, "action": action or None, "result": {}}


def swing(*at: tuple[float, float]) -> Callable[[float], float]:
    """An angle that is held from each time on."""
    return lambda t: next((angle for since, angle in reversed(at) if t >= since), 0.0)


def test_a_shake_is_a_swing_to_both_sides(fly: Callable[..., Flight]) -> None:
    pan = swing((1.0, 25.0), (1.3, -25.0), (1.6, 0.0))
    flight = fly(3, servo_us=lambda t: us(pan=pan(t)))
    assert shaken_at(flight, 0, 3) == pytest.approx(1.3)
    assert shaken_at(flight, 0, 1.2) is None
    half = swing((1.0, 25.0), (1.3, 0.0))
    assert shaken_at(fly(3, servo_us=lambda t: us(pan=half(t))), 0, 3) is None
    little = swing((1.0, 15.0), (1.3, -15.0), (1.6, 0.0))
    assert shaken_at(fly(3, servo_us=lambda t: us(pan=little(t))), 0, 3) is None


@pytest.mark.parametrize("direction", [1, -1])
def test_each_nod_is_counted_once_wherever_the_head_rests(
    direction: int, fly: Callable[..., Flight]
) -> None:
    tilt = swing(
        (0, 15.0),
        (1.0, 15 + 20.0 * direction),
        (1.2, 15.0),
        (2.0, 15 + 20.0 * direction),
        (2.2, 15.0),
    )
    flight = fly(4, servo_us=lambda t: us(tilt=tilt(t)))
    assert nods(flight, 0, 4) == pytest.approx([1.0, 2.0])
    assert nods(flight, 1.5, 4) == pytest.approx([2.0])
    small = swing((0, 15.0), (1.0, 25.0), (1.2, 15.0))
    assert nods(fly(4, servo_us=lambda t: us(tilt=small(t))), 0, 4) == []


def test_a_limp_servo_nods_not(fly: Callable[..., Flight]) -> None:
    assert nods(fly(1, servo_us=lambda t: (0.0, 0.0, 0.0)), 0, 1) == []


def test_a_wave_is_no_shake(fly: Callable[..., Flight]) -> None:
    pan, tilt = swing((1, 15.0), (1.3, -15.0), (1.6, 0.0)), swing((1, 15.0), (1.6, 0.0))
    flight = fly(3, servo_us=lambda t: us(pan(t), tilt(t)))
    assert waved(flight, 0, 3)
    assert shaken_at(flight, 0, 3) is None
    assert not waved(fly(3, servo_us=lambda t: us(pan(t))), 0, 3)


def test_the_light_s_changes(fly: Callable[..., Flight]) -> None:
    flight = fly(3, light=lambda t: (0, 0, 0) if t < 1 else (1, 0, 0) if t < 2 else (1, 1, 1))
    assert [colour for _, colour in lights(flight)] == ["off", "red", "white"]
    assert [colour for _, colour in lights(flight, 1.5)] == ["red", "white"]


def test_a_leg_is_what_the_body_did_not_what_the_robot_says(fly: Callable[..., Flight]) -> None:
    """Half a metre ahead and 3 degrees askew; then a turn by 80 degrees that should be 90."""

    def pose(t: float) -> tuple[float, float, float]:
        along = min(max(t - 1, 0), 1) * 0.5
        yaw = math.radians(3 * min(max(t - 1, 0), 1) + 80 * min(max(t - 3, 0), 1))
        return along, 0.0, yaw

    flight = fly(6, pose=pose)
    events = [
        (1.0, event("started", do="move", distance_m=0.5)),
        (2.1, event("finished", do="move", distance_m=0.5)),
        (3.0, event("started", do="turn", angle_deg=90.0)),
        (4.1, event("finished", do="turn", angle_deg=90.0)),
        (5.0, event("started", do="move", distance_m=1.0)),
        (5.5, event("failed", do="move", distance_m=1.0)),
    ]
    move, turn, cut = legs(run_of("courier", flight, events))
    assert (move.outcome, turn.outcome, cut.outcome) == ("finished", "finished", "failed")
    assert move.error == pytest.approx(0, abs=1e-6)
    assert move.angle_deg == pytest.approx(3)
    assert turn.error == pytest.approx(-10)
    assert cut.distance_m == pytest.approx(0)


def test_where_cards_add_up() -> None:
    actions = [
        {"do": "move", "distance_m": 1.0},
        {"do": "turn", "angle_deg": 90.0},
        {"do": "light", "color": "red"},
        {"do": "move", "distance_m": -0.5},
    ]
    assert expected_pose((0.0, 0.0, 0.0), actions) == pytest.approx((1.0, -0.5, math.pi / 2))


def picture(t: float, frame: int) -> dict[str, Any]:
    return {"kind": "picture", "t": t, "board": "athlete", "picture": 0, "frame": frame}


def test_sit_ups_end_where_somebody_has_seen_them_end(fly: Callable[..., Flight]) -> None:
    """The first loop begins in the middle of one, which is none; 0.1 s a frame."""
    film = [picture(0.1 * n, n % 100) for n in range(1, 190)]
    ends = [end for _, end in completions(run_of("trainer", fly(20, *film), []))]
    assert ends == pytest.approx([8.4, 13.0, 18.4])


def wall(closest: float) -> Callable[[float], float]:
    return lambda t: max(1.2 - 0.4 * t, closest)


@pytest.mark.parametrize(
    ("closest", "duty", "bump", "wrong"),
    [
        (0.15, 0, False, set()),
        (0.10, 0, False, {"stops before", "never comes closer"}),
        (0.30, 0, False, {"stops before"}),
        (0.15, 90, False, {"motors off"}),
        (0.15, 0, True, {"nothing is touched"}),
    ],
)
def test_the_obstacle_s_judge_can_say_no(
    closest: float, duty: int, bump: bool, wrong: set[str], fly: Callable[..., Flight]
) -> None:
    flight = fly(
        5,
        *({"kind": "motor", "t": 0.1, "wall_ns": 0, "motor": m, "duty": 100} for m in (0, 1)),
        *({"kind": "motor", "t": 4.0, "wall_ns": 0, "motor": m, "duty": duty} for m in (0, 1)),
        range_m=wall(closest),
        pose=lambda t: (1.2 - wall(closest)(t), 0.0, 0.0),
        bump=lambda t: bump and t > 4,
    )
    events = [
        (0.1, event("started", do="move", distance_m=3.0)),
        (4.5, {**event("failed", do="move", distance_m=3.0), "text": "something ahead"}),
    ]
    checks = Judge().checks(run_of("obstacle", flight, events))
    failed = {check.name for check in checks if not check.held}
    assert len(failed) == len(wrong)
    assert all(any(words in name for name in failed) for words in wrong)
