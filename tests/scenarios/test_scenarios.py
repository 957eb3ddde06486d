"""Each scenario from beginning to end; judged by pins and the body's true way, on simulated time.

The same judges as `reflexarc sim` and the demo (`reflexarc.cli.box.judges`); here it is enough
to say which scenarios run how. What the judges would miss is in test_judges.py.
"""

from __future__ import annotations

import pytest
from scenario_plays import Play, story

from reflexarc.cli.box.judges import PLOTS
from reflexarc.cli.box.record import EngineName
from reflexarc.sim.scenario import packaged_scenarios

ALONE = ("obstacle", "cable_pull")
"""Also without ROS: eyes, body and the link are the same; the demo drives by cards so."""
CASES = [(name, "ros") for name in PLOTS if name != "demo"] + [(name, "process") for name in ALONE]
"""The demo's own scenario, cards, faces and orders in one, is in tests/cli/test_demo.py."""


def test_each_packaged_scenario_has_a_judge() -> None:
    assert set(packaged_scenarios()) == set(PLOTS)


@pytest.mark.parametrize(("name", "engine"), CASES)
def test_a_scenario_plays_as_it_must(name: str, engine: EngineName, play: Play) -> None:
    done, checks = play(name, engine)
    assert len(checks) > 4
    assert all(check.held for check in checks), story(done, checks)
    if engine == "ros":
        words = (done.folder / "launch.log").read_text("utf-8")
        assert "hears nothing" not in words and "not heard" not in words, words
    assert done.why == "goal", story(done, checks)
