"""Two gates in a row stop and arm as one."""

from __future__ import annotations

import pytest

from reflexarc.robot.accord import Accord
from reflexarc.robot.body import Wheels
from reflexarc.robot.config import Geometry, Limits
from reflexarc.robot.gate import Gate, GateState

S = 1_000_000_000


class Body:
    """Takes everything."""

    def __init__(self) -> None:
        self.stops = 0

    def drive(self, left: int, right: int) -> tuple[int, int]:
        return left, right

    def stop(self) -> None:
        self.stops += 1

    def set_servos(self, angles: dict[str, float]) -> dict[str, float]:
        return dict(angles)

    def set_light(self, color: str) -> None:
        pass


class Pair:
    def __init__(self) -> None:
        self.now = S
        self.body = Body()
        self.gate = Gate(self.body, Limits(), Geometry())  # type: ignore[arg-type]
        self.gate.arm(self.now)
        self.asked: list[str] = []
        self.accord = Accord(self.gate, self.asked.append, lambda: self.now)

    def hear(self, base: str, reason: str = "", *, after_s: float = 0.01) -> None:
        self.now += round(after_s * S)
        self.accord.take(base, reason)


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.mark.parametrize("base", ["stopped", "disarmed"])
def test_a_base_that_is_not_armed_stops_the_brain_with_its_reason(pair: Pair, base: str) -> None:
    pair.hear("armed")
    pair.gate.drive(Wheels(0.1, 0.1), pair.now)
    pair.hear(base, "bumped")
    assert (pair.gate.state, pair.gate.reason) == (GateState.STOPPED, "bumped")
    assert pair.body.stops == 1
    pair.hear(base, "bumped")
    assert pair.body.stops == 1, "once is enough"
    assert not pair.asked, "it need not be told"


def test_who_arms_the_base_arms_the_brain(pair: Pair) -> None:
    pair.hear("stopped", "bumped")
    pair.hear("armed")
    assert pair.gate.state is GateState.ARMED


def test_a_stop_of_the_brain_latches_the_base_and_is_asked_for_until_it_does(pair: Pair) -> None:
    pair.hear("armed")
    pair.gate.stop("no new frame", pair.now)
    pair.hear("armed")
    assert pair.asked == ["no new frame"]
    pair.hear("armed")
    assert len(pair.asked) == 1, "it takes its time"
    pair.hear("armed", after_s=1.0)
    assert len(pair.asked) == 2
    assert pair.gate.state is GateState.STOPPED, "that the base is armed is no reason to be"
    pair.hear("stopped", "no new frame")
    pair.hear("armed")
    assert pair.gate.state is GateState.ARMED
    assert len(pair.asked) == 2
