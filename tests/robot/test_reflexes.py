from __future__ import annotations

import pytest

from reflexarc.perception import Box, Detection, Observation
from reflexarc.robot.actions import Move
from reflexarc.robot.config import Reflex
from reflexarc.robot.reflexes import ReflexEngine

MS = 1_000_000


def rule(value: int = 3, *, hold_s: float = 0.0, cooldown_s: float = 0.0) -> Reflex:
    return Reflex(
        event="digit_seen",
        value=value,
        hold_s=hold_s,
        cooldown_s=cooldown_s,
        actions=(Move(distance_m=value / 10),),
    )


def seen(at_ms: int, *digits: int, task: str = "digits") -> Observation:
    box = Box(0, 0, 20, 20)
    found = tuple(Detection(str(digit), 0.99, box) for digit in digits)
    return Observation(at_ms * MS, at_ms, "test", task, found)


def fired_at(engine: ReflexEngine, frames: list[tuple[int, ...]], every_ms: int = 50) -> list[int]:
    """Times (ms) of the frames at which anything fired."""
    return [
        i * every_ms
        for i, digits in enumerate(frames)
        if engine.update(seen(i * every_ms, *digits))
    ]


@pytest.mark.parametrize(
    "hold_s, cooldown_s, frames, times",
    [
        (0, 0, [(), (3,), (3,), (3,)], [50]),  # once an appearance
        (0, 0, [(3,), (), (3,), ()], [0, 100]),  # each appearance
        (0.1, 0, [(3,), (3,), (3,), (3,)], [100]),  # held for 100 ms
        (0.1, 0, [(3,), (), (3,), (3,), (3,)], [200]),  # a gap starts the hold anew
        (0.1, 0, [(3,), (3,), (), (3,), (3,)], []),  # never long enough
        (0, 0.2, [(3,), (), (3,), (), (3,)], [0, 200]),  # rests 200 ms
        (0, 0.2, [(3,), (), (3,), (3,), (3,), (3,)], [0, 200]),  # ripe when rested
        (0, 0, [(5,), (1, 7), (1, 3)], [100]),  # one of several digits
    ],
)
def test_hold_and_cool_down(
    hold_s: float, cooldown_s: float, frames: list[tuple[int, ...]], times: list[int]
) -> None:
    engine = ReflexEngine((rule(hold_s=hold_s, cooldown_s=cooldown_s),))
    assert fired_at(engine, frames) == times


def test_rules_fire_in_their_order_and_carry_the_observation() -> None:
    engine = ReflexEngine((rule(7), rule(3), rule(5)))
    observation = seen(0, 3, 7)
    firings = engine.update(observation)
    assert [f.rule.value for f in firings] == [7, 3]
    assert all(f.observation is observation for f in firings)


def test_another_tasks_observation_says_nothing_about_digits() -> None:
    engine = ReflexEngine((rule(hold_s=0.1),))
    assert not engine.update(seen(0, 3))
    assert not engine.update(seen(50, task="mask"))  # does not end the appearance either
    assert engine.update(seen(100, 3))
