from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from shell import Run


@pytest.mark.parametrize(
    ("option", "root"), [("--urdf", "robot"), ("--sdf", "sdf"), ("--mjcf", "mujoco")]
)
def test_each_format_is_printed_whole(reflexarc: Run, option: str, root: str) -> None:
    code, out, err = reflexarc("describe", option)
    assert (code, err) == (0, "")
    assert ElementTree.fromstring(out).tag == root


def test_without_a_format_it_tells_the_links(reflexarc: Run) -> None:
    code, out, _ = reflexarc("describe")
    assert code == 0
    assert all(name in out for name in ("base_footprint", "left_wheel", "tilt_joint", "kg"))


def test_measures_come_from_robot_yaml(reflexarc: Run, tmp_path: Path) -> None:
    config = tmp_path / "robot.yaml"
    config.write_text("geometry: {wheel_diameter_m: 0.08, wheel_separation_m: 0.2}")
    code, out, _ = reflexarc("describe", "--urdf", config)
    assert code == 0
    origins = {
        joint.get("name"): joint.find("origin").get("xyz")  # type: ignore[union-attr]
        for joint in ElementTree.fromstring(out).iter("joint")
    }
    assert origins["left_wheel_joint"] == "0 0.1 0"
    assert origins["base_footprint_joint"] == "0 0 0.04"


def test_it_is_written_to_a_file(reflexarc: Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "rover.sdf"
    code, out, err = reflexarc("describe", "--sdf", "--output", path)
    assert (code, out) == (0, "")
    assert path.name in err
    assert ElementTree.parse(path).getroot().get("version") == "1.9"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--urdf", "--sdf"), "--urdf and --sdf"),
        (("--output", "x.urdf"), "ask for one at a time"),
    ],
)
def test_one_format_at_a_time(
    reflexarc: Run, arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    code, out, err = reflexarc("describe", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_measures_in_millimetres_are_found_out(reflexarc: Run, tmp_path: Path) -> None:
    config = tmp_path / "robot.yaml"
    config.write_text("geometry: {wheel_diameter_m: 65}")
    code, out, err = reflexarc("describe", "--urdf", config)
    assert (code, out) == (2, "")
    assert "wheel_diameter from 0.04 to 0.2 m" in err and "millimetres" in err


def test_a_folder_that_cannot_be_written(reflexarc: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = reflexarc("describe", "--urdf", "--output", tmp_path / "file" / "x.urdf")
    assert code == 2
    assert "error:" in err
