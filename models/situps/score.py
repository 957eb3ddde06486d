"""How well a counter counts: on held-out sequences of the body model, and on real clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reflexarc.models.situps.sequences import Sequence, sequence
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps import Count, SitUpCounter

FIRST_SEED = 100_000
"""Far from the seeds that `reflexarc.models.situps.net.load` uses."""


@dataclass(frozen=True)
class Take:
    """Poses over time and the true number of full repetitions in them."""

    name: str
    poses: list[Pose | None]
    stamps_ns: list[int]
    full: int


@dataclass(frozen=True)
class Tally:
    """What a counter made of some takes.

    Attributes:
        takes: how many; exact: how many were counted exactly.
        within_one: how many were counted right to within one.
        wrong: name, true and counted number of those not exact.
    """

    takes: int
    exact: int
    within_one: int
    wrong: tuple[tuple[str, int, int], ...]


def held_out(takes: int = 200, first_seed: int = FIRST_SEED) -> list[Take]:
    """Body-model takes with seeds and parameter ranges that training never used."""
    made = ((seed, sequence(seed, held_out=True)) for seed in range(first_seed, first_seed + takes))
    return [as_take(one, f"{one.kind} {seed}") for seed, one in made]


def as_take(one: Sequence, name: str) -> Take:
    """A sequence without its phases."""
    return Take(name, one.poses, one.stamps_ns, one.full)


def looped(take: Take, times: int, full: int) -> Take:
    """The same poses played `times` in a row, as a GIF does, with `full` repetitions in all."""
    stamps = take.stamps_ns
    length = stamps[-1] - stamps[0] + (stamps[-1] - stamps[0]) // (len(stamps) - 1)
    return Take(
        f"{take.name} x{times}",
        take.poses * times,
        [stamp + i * length for i in range(times) for stamp in stamps],
        full,
    )


def follow(counter: SitUpCounter, take: Take) -> list[Count]:
    """The counter's answer to every pose of a take."""
    return [
        counter.update(pose, stamp) for pose, stamp in zip(take.poses, take.stamps_ns, strict=True)
    ]


def tally(make: Callable[[], SitUpCounter], takes: Iterable[Take]) -> Tally:
    """Count each take with a fresh counter."""
    rows = [(take.name, take.full, follow(make(), take)[-1].full) for take in takes]
    wrong = tuple(row for row in rows if row[1] != row[2])
    far = sum(abs(true - counted) > 1 for _, true, counted in wrong)
    return Tally(len(rows), len(rows) - len(wrong), len(rows) - far, wrong)


def compare(
    counters: Mapping[str, Callable[[], SitUpCounter]], takes: Mapping[str, list[Take]]
) -> dict[str, dict[str, Tally]]:
    """Every counter on every set of takes: counter -> set -> tally."""
    return {
        counter: {name: tally(make, some) for name, some in takes.items()}
        for counter, make in counters.items()
    }


def better(scores: Mapping[str, Mapping[str, Tally]]) -> str:
    """The counter with the most exact takes over all sets; the first one of equals."""
    return max(scores, key=lambda name: sum(tally.exact for tally in scores[name].values()))
