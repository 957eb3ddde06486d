"""The vote on one face: what it shows over time, and not in a single frame."""

from __future__ import annotations

import pytest

from reflexarc.perception.tasks.mask.vote import Vote


def after(*masks: float) -> Vote:
    vote = Vote()
    for mask in masks:
        vote.add(mask)
    return vote


@pytest.mark.parametrize(("mask", "is_mask"), [(0.9, True), (0.1, False), (1.0, True), (0, False)])
def test_one_frame_is_an_answer(mask: float, is_mask: bool) -> None:
    vote = after(mask)
    assert (vote.is_mask, vote.votes) == (is_mask, 1)
    assert 0.5 < vote.confidence <= 1


def test_single_frames_do_not_flip_it() -> None:
    for steady, odd in ((0.95, 0.02), (0.05, 0.98)):
        vote = after(*[steady] * 5)
        for _ in range(20):
            vote.add(odd)
            assert vote.is_mask == (steady > 0.5)
            for _ in range(4):
                vote.add(steady)
                assert vote.is_mask == (steady > 0.5)


def test_what_lasts_does() -> None:
    vote = after(*[0.97] * 100)
    frames = 0
    while vote.is_mask and frames < 50:
        vote.add(0.03)
        frames += 1
    # A third of a second of a camera at 30 frames/s, whatever came before.
    assert 2 <= frames <= 10
    assert vote.votes == 100 + frames


def test_indifference_keeps_the_answer() -> None:
    for first in (0.9, 0.1):
        vote = after(first, *[0.45, 0.55] * 50)
        assert vote.is_mask == (first > 0.5)


def test_confidence_is_of_the_answer_and_falls_with_doubt() -> None:
    sure, unsure = after(*[0.99] * 9), after(*[0.99] * 9, 0.1)
    assert sure.confidence > unsure.confidence > 0.5
    assert after(*[0.01] * 9).confidence == pytest.approx(sure.confidence)
