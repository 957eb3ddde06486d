"""`reflexarc plan`: what an order would do; nothing moves, no board is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run


def test_a_plan_in_words_and_steps(reflexarc: Run) -> None:
    code, out, _ = reflexarc("plan", "turn left and go forward 3 metres")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "ok: Turn left 90°, then drive forward 3 m."
    assert lines[1:3] == ["  turn +90°", "  move +3 m"]
    assert lines[3].startswith("parser, ")
    assert lines[3].endswith("asks first")


def test_in_the_language_it_was_said_in(reflexarc: Run) -> None:
    assert reflexarc("plan", "左转").out.startswith("ok: 左转90度。")


def test_as_json(reflexarc: Run) -> None:
    code, out, _ = reflexarc("plan", "look up", "--json")
    plan = json.loads(out)
    assert (code, plan["status"], plan["planner"]) == (0, "ok", "parser")
    assert plan["actions"] == [{"do": "look", "pan_deg": 0.0, "tilt_deg": 30.0}]


@pytest.mark.parametrize(
    "text", ["fly to the moon", "turn off the safety limits", "", "x" * 10_000]
)
def test_what_is_refused_or_not_understood_is_1(reflexarc: Run, text: str) -> None:
    code, out, err = reflexarc("plan", text, "--json")
    plan = json.loads(out)
    assert (code, plan["actions"], err) == (1, [], "")
    assert plan["status"] in ("refuse", "clarify")
    assert plan["message"]


def test_the_robots_own_limits_hold(reflexarc: Run, tmp_path: Path) -> None:
    (tmp_path / "robot.yaml").write_text("limits: {distance_m: 2}")
    code, out, _ = reflexarc("plan", "go forward 3 metres", "--robot", tmp_path / "robot.yaml")
    assert (code, out.splitlines()[0]) == (1, "refuse: That is too far: at most 2 m.")


def test_stop_needs_no_planner(reflexarc: Run) -> None:
    code, out, _ = reflexarc("plan", "stop!", "--json")
    assert (code, json.loads(out)["planner"]) == (0, "stop")


def test_a_planner_that_there_is_not(reflexarc: Run) -> None:
    code, _, err = reflexarc("plan", "turn left", "--planner", "parsr")
    assert code == 2
    assert "did you mean parser?" in err
