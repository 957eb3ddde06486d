from __future__ import annotations

from reflexarc.models.situps import score
from reflexarc.models.situps.score import Take
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps import Count, GeometricCounter


class Always:
    """Counts `full` whatever it sees."""

    def __init__(self, full: int) -> None:
        self.full = full

    def update(self, pose: Pose | None, stamp_ns: int) -> Count:
        return Count(self.full, 0, "other", 1.0)


TAKES = [Take(f"take {n}", [None], [0], n) for n in range(4)]


def test_a_tally_says_how_many_were_exact_and_which_were_not() -> None:
    tally = score.tally(lambda: Always(1), TAKES)
    assert (tally.takes, tally.exact, tally.within_one) == (4, 1, 3)
    assert tally.wrong == (("take 0", 0, 1), ("take 2", 2, 1), ("take 3", 3, 1))


def test_the_better_counter_is_the_one_with_more_exact_takes() -> None:
    sets = {"some": TAKES, "zeros": [TAKES[0]] * 3}
    scores = score.compare({"one": lambda: Always(1), "none": lambda: Always(0)}, sets)
    assert score.better(scores) == "none"
    assert scores["none"]["zeros"].exact == 3


def test_a_loop_goes_on_without_a_gap_at_its_seam() -> None:
    take = score.looped(Take("gif", [None] * 4, [0, 100, 200, 300], 0), 3, 5)
    assert take.stamps_ns == list(range(0, 1200, 100))
    assert (take.full, len(take.poses)) == (5, 12)


def test_geometry_counts_most_held_out_sequences_exactly() -> None:
    takes = score.held_out(25)
    assert sum(take.full for take in takes) > 20
    # Measured: 21 of these, 172 of the 200 that are scored in full.
    assert score.tally(GeometricCounter, takes).exact >= 18
