"""`reflexarc replay`: what is the same, what is not, and what cannot be compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from recorded import Counts, frames
from shell import Run

from reflexarc.perception.recording import Recorder, TaskRun
from reflexarc.perception.tasks import default_model_path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seq in range(4):
        image = np.full((240, 320, 3), 205, np.uint8)
        place = (120 + 9 * seq, 150)
        cv2.putText(image, str(seq), place, cv2.FONT_HERSHEY_SIMPLEX, 2.0, (30, 30, 40), 5)
        cv2.imwrite(str(folder / f"{seq}.png"), image)
    return folder


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of somebody else's that says something else when its mood changes."""
    (tmp_path / "moody.py").write_text("""
import os
from reflexarc.perception import Observation

class Moody:
    def __init__(self, model=None, device="auto", *, gain: float = 1.0):
        self.gain = gain

    def process(self, frame):
        count = frame.seq * (2 if os.environ.get("MOOD") and frame.seq > 1 else 1)
        return Observation(frame.stamp_ns, frame.seq, frame.source, "moody", (), {"n": count})
""")
    info = tmp_path / "moody-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[reflexarc.tasks]\nmoody = moody:Moody\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_same_models_say_the_same(reflexarc: Run, pictures: Path, tmp_path: Path) -> None:
    run, drawn = tmp_path / "run.mcap", tmp_path / "drawn"
    assert reflexarc("see", pictures, "--task", "digits,pose", "--record", run)[0] == 0
    code, out, _ = reflexarc("replay", run)
    assert code == 0
    assert "the same, bit for bit" in out
    code, out, _ = reflexarc("replay", run, "--task", "digits", "--jsonl", "--save", drawn)
    assert code == 0
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [0, 1, 2, 3]
    assert len(list(drawn.iterdir())) == 4
    code, out, _ = reflexarc("replay", run, "--json")
    said = json.loads(out)
    assert (code, said["equal"], said["frames"]) == (0, True, 4)
    assert [task["looks"] for task in said["tasks"]] == [4, 4]


def test_the_first_difference_is_named(
    reflexarc: Run, pictures: Path, moody: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run.mcap"
    reflexarc("see", pictures, "--task", "moody", "--option", "gain=2", "--record", run)
    assert reflexarc("replay", run)[0] == 0
    monkeypatch.setenv("MOOD", "1")
    code, out, _ = reflexarc("replay", run, "--json")
    said = json.loads(out)
    assert (code, said["equal"]) == (1, False)
    (task,) = said["tasks"]
    assert (task["looks"], task["different"]) == (4, 2)
    assert task["first"] == "frame 2: counts.n: 2 then, 4 now"


def test_other_models_are_not_compared_unless_told_to(
    reflexarc: Run, pictures: Path, tmp_path: Path
) -> None:
    run, model = tmp_path / "run.mcap", tmp_path / "own.tflite"
    shutil.copy(default_model_path("digits"), model)
    reflexarc("see", pictures, "--model", model, "--record", run)
    assert reflexarc("replay", run)[0] == 0
    # A zip's comment: other bytes, the same net.
    data = bytearray(model.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 20 : end + 22] = (3).to_bytes(2, "little")
    model.write_bytes(bytes(data) + b"new")
    code, _, err = reflexarc("replay", run)
    assert code == 2
    assert "own.tflite" in err and "--anyway" in err
    assert reflexarc("replay", run, "--anyway")[0] == 0
    model.unlink()
    code, _, err = reflexarc("replay", run)
    assert code == 2
    assert "own.tflite" in err


def test_blurred_frames_are_not_what_the_tasks_saw(
    reflexarc: Run, pictures: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run.mcap"
    assert reflexarc("see", pictures, "--blur-faces", "--record", run)[0] == 0
    code, _, err = reflexarc("replay", run)
    assert code == 2
    assert "--blur-faces" in err and "--anyway" in err
    assert reflexarc("replay", run, "--anyway")[0] in (0, 1)


def test_an_unfinished_recording_is_compared_as_far_as_it_goes(
    reflexarc: Run, pictures: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run.mcap"
    reflexarc("see", pictures, "--record", run)
    part = tmp_path / "run.part.mcap"
    part.write_bytes(run.read_bytes()[:-100])
    code, _, err = reflexarc("replay", part)
    assert code == 0
    assert "not finished" in err


def test_what_cannot_be_replayed_is_explained(
    reflexarc: Run, pictures: Path, tmp_path: Path
) -> None:
    run, alone, strange = (tmp_path / f"{name}.mcap" for name in ("run", "alone", "strange"))
    reflexarc("see", pictures, "--record", run)
    reflexarc("see", pictures, "--record", alone, "--record-frames", "none")
    with Recorder(strange, [TaskRun("counts")]) as recorder:
        recorder.listen("counts", Counts()).process(recorder.frame(frames(1)[0]))
    (tmp_path / "text.mcap").write_text("no recording")
    for given, hint in (
        ([tmp_path / "none.mcap"], "check the path"),
        ([tmp_path / "text.mcap"], "--record run.mcap"),
        ([tmp_path], "check the path"),
        ([run, "--task", "digit"], "did you mean digits?"),
        ([run, "--task", "pose"], "--task pose"),
        ([run, "--device", "gpu"], "auto, cpu"),
        ([alone], "without frames"),
        ([strange], "counts"),
    ):
        code, out, err = reflexarc("replay", *given)
        (line,) = (text for text in err.splitlines() if text.startswith("error: "))
        assert code == 2
        assert hint in line
        assert "Traceback" not in out + err
