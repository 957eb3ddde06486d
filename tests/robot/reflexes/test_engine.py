from __future__ import annotations

from typing import Any

import pytest

from reflexarc.perception import Box, Detection, Observation
from reflexarc.robot.actions import EVENTS, Move, Say
from reflexarc.robot.reflexes import Feeling, Reflex, ReflexEngine, task_of
from reflexarc.robot.reflexes.events import ZONE_VALUE

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


# ---- every event: what begins it, what is over, what is another matter

BOX = Box(0, 0, 20, 20)


def labelled(task: str, *labels: str, at_ms: int = 0, **counts: int) -> Observation:
    found = tuple(Detection(label, 0.9, BOX) for label in labels)
    return Observation(at_ms * MS, at_ms, "test", task, found, counts)


def felt(range_m: float | None = None, *, bump: bool = False, volts: float = 7.4) -> Feeling:
    return Feeling(0, range_m, bump, volts)


LEVELS: list[tuple[str, str, list[str], list[str]]] = [
    ("mask_missing", "mask", ["no_mask"], ["mask"]),
    ("mask_present", "mask", ["mask", "no_mask"], ["no_mask"]),
    ("person_seen", "people", ["person"], []),
    ("person_gone", "people", [], ["person"]),
    ("digit_seen", "digits", ["1", "3"], ["1", "8"]),
]


def when(event: str, **conditions: Any) -> Reflex:
    value = 3 if event == "digit_seen" else None
    timing: dict[str, Any] = {"hold_s": 0, "cooldown_s": 0}
    return Reflex(
        event=event,  # type: ignore[arg-type]
        value=value,
        actions=(Say(text="ha"),),
        **(timing | conditions),
    )


@pytest.mark.parametrize(("event", "task", "there", "not_there"), LEVELS)
def test_a_level_fires_when_it_begins(
    event: str, task: str, there: list[str], not_there: list[str]
) -> None:
    engine = ReflexEngine((when(event),))
    seen = [not_there, there, there, not_there, there]
    fired = [bool(engine.update(labelled(task, *labels))) for labels in seen]
    assert fired == [False, True, False, False, True]
    assert task_of(event) == task


@pytest.mark.parametrize(
    ("event", "there", "not_there"),
    [
        ("obstacle", felt(0.29), felt(0.31)),
        ("obstacle", felt(0.0), felt(None)),
        ("obstacle", felt(None, bump=True), felt(None)),
        ("battery_low", felt(volts=6.7), felt(volts=6.9)),
    ],
)
def test_what_the_body_feels(event: str, there: Feeling, not_there: Feeling) -> None:
    engine = ReflexEngine((when(event),))
    fired = [bool(engine.feel(f)) for f in (not_there, there, there, not_there, there)]
    assert fired == [False, True, False, False, True]
    assert task_of(event) is None


def test_every_event_there_is_has_been_tried() -> None:
    tried = {event for event, *_ in LEVELS} | {"obstacle", "battery_low", "sit_up"}
    assert tried == set(EVENTS)


def test_a_pulse_fires_at_each_count_and_not_at_the_first_look() -> None:
    engine = ReflexEngine((when("sit_up", cooldown_s=3600, hold_s=10),))
    counts = [4, 4, 5, 5, 6, 0, 1, 1]
    fired = [len(engine.update(labelled("situps", sit_ups=n))) for n in counts]
    assert fired == [0, 0, 1, 0, 1, 0, 1, 0]


def test_pulses_between_two_looks_fire_one_by_one_within_reason() -> None:
    engine = ReflexEngine((when("sit_up"),))
    fired = [len(engine.update(labelled("situps", sit_ups=n))) for n in (0, 3, 1_000_000)]
    assert fired == [0, 3, 10]


def test_a_task_that_has_not_counted_yet_has_counted_nothing() -> None:
    engine = ReflexEngine((when("sit_up"),))
    assert not engine.update(labelled("situps"))
    assert engine.update(labelled("situps", sit_ups=1))


def test_nobody_has_to_be_there_before_they_can_be_gone() -> None:
    engine = ReflexEngine((when("person_gone"),))
    assert not engine.update(labelled("people"))
    assert not engine.update(labelled("people"))
    assert not engine.update(labelled("people", "person"))
    assert engine.update(labelled("people"))


def scored(*scores: float) -> Observation:
    found = tuple(Detection("person", score, BOX) for score in scores)
    return Observation(0, 0, "test", "people", found)


@pytest.mark.parametrize(
    ("conditions", "scores", "fires"),
    [
        ({"min_score": 0.7}, [0.69], False),
        ({"min_score": 0.7}, [0.7], True),
        ({"min_count": 3}, [0.9, 0.9], False),
        ({"min_count": 3}, [0.9, 0.9, 0.1], True),
        ({"min_count": 2, "min_score": 0.5}, [0.9, 0.4], False),
    ],
)
def test_how_many_and_how_surely(
    conditions: dict[str, Any], scores: list[float], fires: bool
) -> None:
    engine = ReflexEngine((when("person_seen", **conditions),))
    assert bool(engine.update(scored(*scores))) == fires


def test_who_is_too_faint_to_be_seen_is_gone() -> None:
    engine = ReflexEngine((when("person_gone", min_score=0.5),))
    assert [bool(engine.update(scored(s))) for s in (0.9, 0.2)] == [False, True]


def test_only_inside_its_zone() -> None:
    engine = ReflexEngine((when("person_seen", zone="door"),))
    outside = Detection("person", 0.9, BOX, values={f"{ZONE_VALUE}hall": 2.0})
    inside = Detection("person", 0.9, BOX, values={f"{ZONE_VALUE}door": 0.1})
    assert not engine.update(Observation(0, 0, "test", "people", (outside,)))
    assert engine.update(Observation(1, 1, "test", "people", (outside, inside)))


def test_the_more_important_rule_comes_first_and_equals_keep_their_order() -> None:
    rules = [when("person_seen", name=n, priority=p) for n, p in [("a", 0), ("b", 5), ("c", 0)]]
    fired = ReflexEngine(rules).update(labelled("people", "person"))
    assert [firing.rule.name for firing in fired] == ["b", "a", "c"]


def test_new_rules_leave_the_old_ones_where_they_stand() -> None:
    old, new = when("person_seen", name="old"), when("mask_missing", name="new")
    engine = ReflexEngine((old,))
    assert engine.update(labelled("people", "person"))
    engine.set_rules((new, old))
    assert not engine.update(labelled("people", "person"))  # no second appearance
    engine.set_rules((new,))
    assert not engine.update(labelled("people", "person"))
    engine.set_rules((old,))
    assert engine.update(labelled("people", "person"))  # a rule that comes back begins anew


def test_a_clock_that_goes_back_holds_nothing_up_for_ever() -> None:
    engine = ReflexEngine((rule(hold_s=0.1),))
    times = [1000, 1050, 100, 150, 1150]
    fired = [at for at in times if engine.update(seen(at, 3))]
    assert fired == [1150]
