from __future__ import annotations

import numpy as np
import pytest

from reflexarc.models.situps import motions, net
from reflexarc.models.situps.body import Body
from reflexarc.models.situps.motions import NEGATIVES, Mover
from reflexarc.models.situps.ranges import Draw
from reflexarc.models.situps.recordings import RecordingError, recordings
from reflexarc.models.situps.sequences import sequence, truth
from reflexarc.perception.tasks.situps import PHASES
from reflexarc.perception.tasks.situps.features import FEATURES, LIMIT, STEPS


def test_the_same_seed_gives_the_same_sequence() -> None:
    one, again, other = sequence(7), sequence(7), sequence(7, held_out=True)
    assert one.stamps_ns == again.stamps_ns != other.stamps_ns
    assert one.full == again.full
    for a, b in zip(one.poses, again.poses, strict=True):
        assert (a is None) == (b is None)
        assert a is None or b is None or np.array_equal(a.points, b.points)


def test_whole_and_half_ones_are_told_apart_by_the_true_angle() -> None:
    mover = Mover(Body(), Draw(np.random.default_rng(1), held_out=False))
    keys = [(0.0, mover.lying()), (1.0, mover.lying())]
    for whole in (True, False, True, True, False):
        keys += (motions.sit_up if whole else motions.half_sit_up)(mover)
    _, full, partial = truth(mover.body, keys, np.linspace(0, 5, 10))
    assert (full, partial) == (3, 2)


@pytest.mark.parametrize("motion", NEGATIVES, ids=lambda m: m.__name__)
def test_nothing_else_counts(motion: motions.Motion) -> None:
    one = sequence(11, kind=motion.__name__)
    assert (one.kind, one.full) == (motion.__name__, 0)


def test_every_phase_occurs_in_its_place() -> None:
    one = sequence(2, kind="sit_ups")
    names = [PHASES[code] for code in one.phases]
    assert {"down", "rising", "up", "falling"} <= set(names)
    assert {PHASES[code] for code in sequence(3, kind="squat").phases} == {"other"}
    assert {PHASES[code] for code in sequence(3, kind="lie_still").phases} == {"down"}


def test_samples_are_what_the_net_takes() -> None:
    split = net.samples((sequence(seed) for seed in range(4)), stride=5)
    assert split.inputs.dtype == np.float32
    assert split.inputs.shape[1:] == (STEPS, len(FEATURES))
    assert np.abs(split.inputs).max() <= LIMIT
    assert set(np.unique(split.labels)) <= set(range(len(PHASES)))


def test_recordings_of_people_are_read_as_they_were_labelled(tmp_path) -> None:
    n = 40
    np.savez(
        tmp_path / "me.npz",
        points=np.random.default_rng(0).normal(0, 50, (n, 17, 2)),
        scores=np.full((n, 17), 0.7),
        stamps_ns=np.arange(n) * 66_666_667,
        phases=np.array(["down"] * 30 + ["rising"] * 10),
    )
    (one,) = recordings(tmp_path)
    assert (one.kind, len(one.poses), PHASES[one.phases[-1]]) == ("me", n, "rising")
    assert len(net.samples([one])) == n


@pytest.mark.parametrize("what", ["nothing", "garbage", "shape", "phase", "order"])
def test_bad_recordings_are_refused_by_name(tmp_path, what: str) -> None:
    parts = {
        "points": np.zeros((3, 17, 2 if what != "shape" else 3)),
        "scores": np.zeros((3, 17)),
        "stamps_ns": np.arange(3) * (-1 if what == "order" else 1),
        "phases": np.array(["down", "up", "flying" if what == "phase" else "up"]),
    }
    path = tmp_path / "bad.npz"
    if what == "garbage":
        path.write_bytes(b"not a zip")
    elif what != "nothing":
        np.savez(path, **parts)
    with pytest.raises(RecordingError, match="recordings" if what == "nothing" else r"bad\.npz"):
        recordings(tmp_path)
