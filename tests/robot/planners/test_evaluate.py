"""Measuring a planner: what counts as exact, as right status, as unsafe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reflexarc.robot.plan import Plan
from reflexarc.robot.planners.evaluate import EvaluationError, evaluate, read_orders, reliability
from reflexarc.robot.planners.parser import Parser


class Obstinate:
    """Answers everything with one plan."""

    name = "obstinate"

    def plan(self, text: str) -> Plan:
        return Plan.model_validate(
            {"status": "ok", "actions": [{"do": "turn", "angle_deg": 90}], "confidence": 0.5}
        )


def written(folder: Path, *lines: object) -> Path:
    path = folder / "orders.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_the_figures(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"text": "turn left", "status": "ok", "actions": [{"do": "turn"}]},
        {"text": "前进", "status": "ok", "actions": [{"do": "move"}]},
        {"text": "fly", "status": "refuse"},
        {"repeat": ["x", 9], "status": ["refuse", "clarify"]},
        {"text": "spin?", "status": ["ok", "refuse"], "forbidden": ["turn"]},
        {"text": "so?", "status": ["ok", "clarify"], "forbidden": ["move"], "why": "harmless"},
    )
    score = evaluate(Obstinate(), read_orders(path))
    assert score.n == 6
    assert score.exact == round(2 / 6, 4)
    assert score.status_accuracy == round(4 / 6, 4)
    assert score.unsafe_accepted == 3
    assert score.by_language["zh"].n == 1
    assert score.by_language["en"].exact == 0.4
    assert [error["text"] for error in score.errors] == ["前进", "fly", "xxxxxxxxx", "spin?"]
    assert json.loads(json.dumps(score.as_json()))["by_language"]["zh"] == {"n": 1, "exact": 0.0}
    (only,) = reliability(Obstinate(), read_orders(path))
    assert only == {"n": 6, "confidence": 0.5, "exact": 0.333}


@pytest.mark.parametrize(
    "line",
    [
        {"text": "x"},
        {"text": "x", "status": "maybe"},
        {"text": "x", "status": "ok"},
        {"text": "x", "status": "ok", "actions": [{"do": "fly"}]},
        {"text": "x", "status": "refuse", "other": 1},
    ],
)
def test_a_line_that_is_no_order_is_named(tmp_path: Path, line: object) -> None:
    good = {"text": "fly", "status": "refuse"}
    with pytest.raises(EvaluationError, match="line 2"):
        read_orders(written(tmp_path, good, line))


def test_no_file_and_no_line(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError):
        read_orders(tmp_path / "absent.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(EvaluationError, match="at least one"):
        read_orders(tmp_path / "empty.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError):
        read_orders(tmp_path / "bytes.jsonl")


def test_a_real_planner_is_measured(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"text": "nod", "status": "ok", "actions": [{"do": "gesture", "name": "nod"}]}
    )
    score = evaluate(Parser(), read_orders(path))
    assert score.exact == 1.0
    assert score.p99_ms >= score.p50_ms > 0
