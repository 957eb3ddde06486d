from __future__ import annotations

import pytest

from reflexarc.perception.tasks.situps.cycle import Cycle, Phase

DOWN, RISING, UP, FALLING, OTHER = "down", "rising", "up", "falling", "other"


def counts(*runs: tuple[Phase, int]) -> tuple[int, int]:
    cycle = Cycle(settle=2, lost=30)
    for phase, steps in runs:
        for _ in range(steps):
            cycle.step(phase)
    return cycle.full, cycle.partial


@pytest.mark.parametrize(
    ("what", "runs", "expected"),
    [
        ("a whole one", [(DOWN, 5), (RISING, 5), (UP, 5), (FALLING, 5), (DOWN, 5)], (1, 0)),
        ("without the way back", [(DOWN, 5), (RISING, 5), (UP, 5), (FALLING, 5)], (0, 0)),
        ("a half one", [(DOWN, 5), (RISING, 5), (FALLING, 5), (DOWN, 5)], (0, 1)),
        ("from the top", [(UP, 5), (FALLING, 5), (DOWN, 5)], (0, 0)),
        ("frames lost on the way", [(DOWN, 5), (UP, 5), (DOWN, 5)], (1, 0)),
        ("hesitates at the top", [(DOWN, 5), (RISING, 3), (UP, 5), (FALLING, 5), (UP, 5),
                                  (FALLING, 5), (DOWN, 5)], (1, 0)),
        ("one step of noise", [(DOWN, 5), (UP, 1), (DOWN, 5)], (0, 0)),
        ("doubt in the middle", [(DOWN, 5), (UP, 5), (OTHER, 29), (DOWN, 5)], (1, 0)),
        ("stood up in between", [(DOWN, 5), (UP, 5), (OTHER, 30), (UP, 5), (DOWN, 5)], (0, 0)),
    ],
)  # fmt: skip
def test_a_repetition_is_down_up_and_down(
    what: str, runs: list[tuple[Phase, int]], expected: tuple[int, int]
) -> None:
    assert counts(*runs) == expected, what


def test_a_restart_keeps_the_counts_and_forgets_the_place() -> None:
    cycle = Cycle()
    for phase in [DOWN, DOWN, UP, UP, DOWN, DOWN, UP, UP]:
        cycle.step(phase)  # type: ignore[arg-type]
    cycle.restart()
    cycle.step(DOWN)
    cycle.step(DOWN)
    assert (cycle.full, cycle.partial) == (1, 0)
