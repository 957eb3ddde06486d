"""`reflexarc log`: reading and verifying what a robot has written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run

from reflexarc.robot.audit import AuditLog, path_of
from reflexarc.robot.config import RobotConfig


@pytest.fixture
def log(home: Path) -> Path:
    """The default rover's, with five entries."""
    path = path_of(RobotConfig())
    writing = AuditLog(path, now=lambda: 1_700_000_000.0)
    for number in range(4):
        writing.append("said", text=f"[bold]{number}[/] 你好")
    writing.append("stop", reason="button")
    writing.close()
    return path


def test_an_unbroken_log(reflexarc: Run, log: Path) -> None:
    code, out, err = reflexarc("log", "verify")
    assert (code, err) == (0, "")
    day = "2023-11-14T22:13:20.000+00:00"
    assert "".join(out.split()) == f"5entries,{day}to{day}:unbroken"
    code, out, _ = reflexarc("log", "verify", log, "--json")
    assert json.loads(out) == {"entries": 5, "first": day, "last": day}


def test_a_changed_log_is_2_and_the_line_is_named(reflexarc: Run, log: Path) -> None:
    log.write_bytes(log.read_bytes().replace("2[/] 你好".encode(), "2[/] 再见".encode()))
    code, out, err = reflexarc("log", "verify")
    assert (code, out) == (2, "")
    assert "an entry that was changed" in err
    assert "line 3" in err
    code, out, err = reflexarc("log", "show")
    assert code == 2
    assert [line.split()[1] for line in out.splitlines()] == ["said", "said"]  # what is before it
    assert "line 3" in err


def test_show(reflexarc: Run, log: Path) -> None:
    code, out, _ = reflexarc("log", "show", "--last", 2)
    assert (code, out.splitlines()) == (
        0,
        ['22:13:20.000 said {"text": "[bold]3[/] 你好"}', '22:13:20.000 stop {"reason": "button"}'],
    )
    code, out, _ = reflexarc("log", "show", "--kind", "stop", "--json")
    assert json.loads(out) == {
        "n": 4,
        "time": "2023-11-14T22:13:20.000+00:00",
        "kind": "stop",
        "reason": "button",
    }


def test_the_log_of_a_robot_yaml(reflexarc: Run, log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    AuditLog(other).close()
    (tmp_path / "robot.yaml").write_text(f"audit: {{path: {other}}}")
    code, out, _ = reflexarc("log", "verify", "--robot", tmp_path / "robot.yaml")
    assert (code, out) == (0, "the log is empty\n")


@pytest.mark.parametrize("verb", ["show", "verify"])
def test_no_log(reflexarc: Run, verb: str) -> None:
    code, _, err = reflexarc("log", verb)
    assert code == 2
    assert "`reflexarc run` writes one" in " ".join(err.split())
