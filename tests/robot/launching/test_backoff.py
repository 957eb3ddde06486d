from __future__ import annotations

from reflexarc.robot.launching.backoff import Respawns
from reflexarc.robot.launching.model import Respawn


def test_the_waiting_doubles_up_to_half_a_minute() -> None:
    respawns = Respawns(Respawn(delay_s=1.0, most=None))
    assert [respawns.after(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_after_it_ran_well_it_starts_again_with_the_first_waiting() -> None:
    respawns = Respawns(Respawn(delay_s=1.0, most=None))
    assert [respawns.after(ran) for ran in (1, 29.9, 30.0, 1)] == [1, 2, 1, 2]


def test_after_the_last_try_it_stays_dead() -> None:
    respawns = Respawns(Respawn(delay_s=0.5, most=2))
    assert [respawns.after(0.1) for _ in range(4)] == [0.5, 1.0, None, None]


def test_without_respawn_it_stays_dead() -> None:
    assert Respawns(None).after(100.0) is None
