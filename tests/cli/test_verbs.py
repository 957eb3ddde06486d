from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from shell import Run

from reflexarc.cli.main import VERBS


def test_help_lists_the_verbs_in_the_order_of_use(reflexarc: Run) -> None:
    code, out, _ = reflexarc("--help")
    assert code == 0
    places = [out.index(f"│ {verb} ") for verb in VERBS]
    assert places == sorted(places)


def test_doctor_names_a_remedy_for_what_is_missing(reflexarc: Run) -> None:
    code, out, _ = reflexarc("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 0
    assert all(check["found"] for check in checks.values() if check["needed"])
    assert all(check["found"] or check["remedy"] for check in checks.values())
    assert checks["digits model"]["found"].startswith("mnist-cnn, 99.")
    assert set(checks) >= {"runtime", "USB camera", "serial port", "Edge TPU", "ROS 2"}


def test_see_reads_a_drawn_digit_and_an_empty_wall(reflexarc: Run, tmp_path: Path) -> None:
    wall = np.full((240, 320, 3), 120, np.uint8)
    cv2.imwrite(str(tmp_path / "a-wall.png"), wall)
    wall[60:180, 100:220] = 0
    cv2.line(wall, (160, 85), (160, 155), (240, 240, 240), 9, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "b-one.png"), wall)
    drawn = tmp_path / "drawn"
    code, out, _ = reflexarc("see", tmp_path, "--task", "digits", "--jsonl", "--save", drawn)
    assert code == 0
    empty, one = map(json.loads, out.splitlines())
    assert empty["detections"] == []
    (digit,) = one["detections"]
    assert digit["label"] == "1"
    assert 130 < digit["box"]["x"] < 165 and 70 < digit["box"]["y"] < 90
    assert len(list(drawn.glob("*.png"))) == 2
    pictures = [cv2.imread(str(path)) for path in sorted(drawn.glob("*.png"))]
    assert np.abs(pictures[0].astype(int) - 120).max() == 0
    assert (pictures[1] != wall).any()


def test_one_bad_picture_does_not_lose_the_others(reflexarc: Run, tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), np.full((60, 80, 3), 90, np.uint8))
    (tmp_path / "b.png").write_bytes(b"not a picture")
    code, out, err = reflexarc("see", tmp_path, "--jsonl")
    assert code == 2
    assert [Path(json.loads(line)["source"]).name for line in out.splitlines()] == [
        "a.png",
        "c.png",
    ]
    assert "b.png" in err


def test_assets_list_is_for_machines_too(reflexarc: Run) -> None:
    code, out, _ = reflexarc("assets", "list", "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)][:2] == ["mnist", "mnist-5k"]
