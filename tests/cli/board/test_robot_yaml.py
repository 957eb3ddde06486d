"""Numbers in a robot.yaml change; nothing else does."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml

from reflexarc.cli.board.robot_yaml import set_value, write_geometry
from reflexarc.robot.config import ConfigError, load_config

ROOT = Path(__file__).resolve().parents[3]
VALUES = {
    "wheel_diameter_m": 0.0663,
    "wheel_separation_m": 0.143,
    "counts_per_revolution": 1440,
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "geometry:\n  d: 7\n"),
        ("# only words", "# only words\ngeometry:\n  d: 7\n"),
        ("name: x\n", "name: x\ngeometry:\n  d: 7\n"),
        ("name: x", "name: x\ngeometry:\n  d: 7\n"),
        ("geometry:\n  d: 1  # metres\nname: x\n", "geometry:\n  d: 7  # metres\nname: x\n"),
        ("geometry:\n    e: 1\nname: x\n", "geometry:\n    d: 7\n    e: 1\nname: x\n"),
        ("geometry: {d: 1, e: 2}  # a\n", "geometry: {d: 7, e: 2}  # a\n"),
        ("geometry: { e: 2 }\n", "geometry: { d: 7, e: 2 }\n"),
        ("geometry: {}\n", "geometry: {d: 7}\n"),
        ("geometry:\nname: x\n", "geometry: {d: 7}\nname: x\n"),
        ("{name: x}\n", "{geometry: {d: 7}, name: x}\n"),
        ("a: 1\r\n", "a: 1\r\ngeometry:\r\n  d: 7\r\n"),
        ("# Größe\ngeometry:\n  d: '1'\n", "# Größe\ngeometry:\n  d: 7\n"),
    ],
)
def test_only_the_value_changes(before: str, after: str) -> None:
    changed = set_value(before, "geometry", "d", "7")
    assert changed == after
    assert yaml.safe_load(changed)["geometry"]["d"] == 7


def test_the_example_keeps_its_comments_and_form(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    original = (ROOT / "launch" / "robot.yaml").read_text(encoding="utf-8")
    path.write_text(original, encoding="utf-8")
    for _ in range(2):  # The second time over what is there.
        write_geometry(path, VALUES)
        geometry = load_config(path).geometry
        assert geometry.model_dump() == VALUES
        changes = [
            line
            for line in difflib.ndiff(original.splitlines(), path.read_text().splitlines())
            if line[0] != " "
        ]
        assert changes == [
            "+ geometry:",
            "+   wheel_diameter_m: 0.0663",
            "+   wheel_separation_m: 0.143",
            "+   counts_per_revolution: 1440",
        ]
    assert [file.name for file in tmp_path.iterdir()] == ["robot.yaml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("name: x\n")
    (tmp_path / "robot.yaml").symlink_to("real.yaml")
    write_geometry(tmp_path / "robot.yaml", VALUES)
    assert (tmp_path / "robot.yaml").is_symlink()
    assert load_config(tmp_path / "real.yaml").geometry.wheel_separation_m == 0.143


@pytest.mark.parametrize("text", ["name: [", "nmae: x\n", "geometry: 5\n", "name: x\n...\n"])
def test_a_file_that_would_be_no_good_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        write_geometry(path, VALUES)
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["robot.yaml"]
