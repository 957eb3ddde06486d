"""`reflexarc run`: pictures in, wheels of the emulated board out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from shell import Run

from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.models.mnist import Mnist

ROBOT = """
reflexes:
  - {event: digit_seen, value: 2, actions: [{do: move, distance_m: 0.1}, {do: turn, angle_deg: 20}]}
"""


def test_a_card_in_a_folder_of_frames_moves_the_robot(
    emulator: EmulatedBoard, mnist: Mnist, tmp_path: Path, reflexarc: Run
) -> None:
    wall = np.full((240, 320, 3), 120, np.uint8)
    card = wall.copy()
    digit = mnist.test_images[mnist.test_labels == 2][0]
    card[50:190, 90:230] = cv2.resize(digit, (140, 140))[..., None]
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(70):
        cv2.imwrite(str(frames / f"{number}.png"), card if number < 10 else wall)
    (tmp_path / "robot.yaml").write_text(ROBOT)

    code, out, err = reflexarc(
        "run", tmp_path / "robot.yaml", "--source", frames, "--port", emulator.port, "--json"
    )

    assert (code, err.count("error")) == (0, 0)
    events = [json.loads(line) for line in out.splitlines()]
    assert [(e["event"], e["text"]) for e in events] == [
        ("fired", "digit_seen 2"),
        ("started", "move +0.1 m"),
        ("finished", "move +0.1 m"),
        ("started", "turn +20°"),
        ("finished", "turn +20°"),
    ]
    assert events[2]["left_m"] == pytest.approx(0.1, rel=0.05)
    assert emulator.wait(0.1).duty == (0, 0)


def test_orders_to_begin_with(emulator: EmulatedBoard, tmp_path: Path, reflexarc: Run) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(50):
        cv2.imwrite(str(frames / f"{number:02}.png"), np.full((24, 32, 3), 120, np.uint8))
    (tmp_path / "robot.yaml").write_text("{}")
    run = ("run", tmp_path / "robot.yaml", "--source", frames, "--port", emulator.port, "--json")
    says = ("--say", "make the light green", "--say", "what are your rules?", "--say", "fly away")
    code, out, _ = reflexarc(*run, *says)
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    replies = [line["reply"] for line in lines if "reply" in line]
    assert [(reply["kind"], reply["status"]) for reply in replies] == [
        ("doing", "ok"),
        ("answer", "ok"),
        ("answer", replies[2]["status"]),
    ]
    assert replies[1]["text"] == "I have no rules."
    assert replies[2]["status"] in ("refuse", "clarify")
    assert ("finished", "light green") in [(e.get("event"), e.get("text")) for e in lines]
    assert emulator.status().light == (0, 1, 0)


def test_no_source_is_2(reflexarc: Run, tmp_path: Path) -> None:
    (tmp_path / "robot.yaml").write_text("{}")
    code, _, err = reflexarc("run", tmp_path / "robot.yaml")
    assert code == 2
    assert "perception.source in robot.yaml, or --source" in " ".join(err.split())
