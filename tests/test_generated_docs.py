"""The tables of the documentation are those of the code; the examples in it work."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reflexarc.sim.scenario import read_scenario

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("page", ["perception.md", "architecture.md", "simulation.md"])
def test_the_tables_are_those_of_the_code(page: str) -> None:
    if page == "architecture.md" and importlib.util.find_spec("rclpy") is None:
        pytest.skip("no rclpy here")
    command = [sys.executable, str(ROOT / "tools" / "doc_tables.py"), "--check", page]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_scenario_in_the_page_is_one() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert read_scenario(text).name == "two_cards"
