"""docs/perception.md: its examples are built and used, its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.perception import Frame
from reflexarc.perception.tasks import open_task, tasks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "perception.md").read_text(encoding="utf-8")
MOST_LINES = 60


def example(name: str) -> str:
    """The Python block that begins with this file's name."""
    (block,) = re.findall(rf"```python\n(# {name}\n.*?)```", TEXT, re.DOTALL)
    return str(block)


def entry_points() -> str:
    return "\n".join(re.findall(r"```toml\n# pyproject.toml of your package\n(.*?)```", TEXT, re.S))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both examples as pip would leave them."""
    names = re.findall(r"```python\n# (\w+)\.py\n", TEXT)
    for name in names:
        source = example(f"{name}.py")
        assert source.count("\n") <= MOST_LINES, f"{name}.py is longer than promised"
        (tmp_path / f"{name}.py").write_text(source)
    info = tmp_path / "strangers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    lines = re.sub(r'\[project\.entry-points\."(.*?)"\]', r"[\1]", entry_points())
    (info / "entry_points.txt").write_text(lines.replace('"', ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_task_of_the_page_finds_a_red_ball_and_no_red_bar(installed: Path) -> None:
    assert "red_ball" in tasks()
    task = open_task("red_ball", smallest_px=30)
    image = np.full((240, 320, 3), 90, np.uint8)
    cv2.circle(image, (100, 120), 35, (200, 30, 25), cv2.FILLED)
    cv2.rectangle(image, (200, 20), (215, 220), (200, 30, 25), cv2.FILLED)
    cv2.circle(image, (280, 60), 10, (200, 30, 25), cv2.FILLED)
    (ball,) = task.process(Frame(image, 0, 0, "test")).detections
    assert (ball.box.x, ball.box.y) == pytest.approx((65, 85), abs=1)
    assert ball.box.width == pytest.approx(71, abs=1)
    nothing = task.process(Frame(np.full((240, 320, 3), 90, np.uint8), 1, 1, "test"))
    assert nothing.detections == ()
