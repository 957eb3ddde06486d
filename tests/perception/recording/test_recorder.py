"""What is in a recording, and what is left of one when things go wrong."""

from __future__ import annotations

import base64
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mcap.reader import make_reader
from recorded import Counts, frames

from reflexarc.core import ReflexarcError, WriteError
from reflexarc.perception import Frame
from reflexarc.perception.cameras import open_camera
from reflexarc.perception.recording import Recorder, Recording, RecordingError, TaskRun, open_run

InSmallFiles = Callable[[int, str], "subprocess.CompletedProcess[str]"]


def record(path: Path, count: int = 12, **options: object) -> None:
    with Recorder(path, [TaskRun("counts")], **options) as recorder:
        task = recorder.listen("counts", Counts())
        for frame in frames(count):
            task.process(recorder.frame(frame))


def test_the_plain_mcap_reader_finds_frames_observations_and_their_schemas(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap")
    with (tmp_path / "run.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        schemas = {s.name: json.loads(s.data) for s in summary.schemas.values()}
        messages = [(s.name, c.topic, json.loads(m.data)) for s, c, m in reader.iter_messages()]
    assert {c.topic: c.message_encoding for c in summary.channels.values()} == {
        "/camera": "json",
        "/observations/counts": "json",
        "/failures/counts": "json",
    }
    for name, _, message in messages:
        assert set(message) >= set(schemas[name]["required"])
        assert set(message) <= set(schemas[name]["properties"])
    said = [message for _, topic, message in messages if topic == "/observations/counts"]
    assert [message["counts"] for message in said] == [{"looks": n} for n in range(1, 13)]
    # Foxglove's CompressedImage, in JSON.
    image = next(message for name, _, message in messages if name == "foxglove.CompressedImage")
    assert image["format"] == "jpeg"
    assert set(image["timestamp"]) == {"sec", "nsec"}
    data = np.frombuffer(base64.b64decode(image["data"]), np.uint8)
    shown = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.abs(shown.astype(int) - frames(1)[0].image).mean() < 15


def test_stamps_are_the_time_of_day_for_viewers(tmp_path: Path) -> None:
    import time

    before = time.time_ns()
    with Recorder(tmp_path / "run.mcap", []) as recorder:
        recorder.frame(Frame(frames(1)[0].image, time.monotonic_ns(), 0, "test"))
    with (tmp_path / "run.mcap").open("rb") as file:
        ((_, _, message),) = make_reader(file).iter_messages()
    assert before - 10**9 < message.log_time < time.time_ns() + 10**9


def test_the_models_that_a_task_opened_are_named_with_their_bytes(tmp_path: Path) -> None:
    import hashlib

    from reflexarc.perception.tasks import default_model_path

    _, run = open_run("situps", options={"people": 2})
    assert {file.name: file.sha256 for file in run.files} == {
        f"{name}.tflite": hashlib.sha256(default_model_path(name).read_bytes()).hexdigest()
        for name in ("pose", "situps")
    }
    assert {file.backend for file in run.files} == {"litert"}
    with Recorder(tmp_path / "run.mcap", [run]) as recorder:
        recorder.frame(frames(1)[0])
    assert Recording(tmp_path / "run.mcap").runs == {"situps": run}


def test_tasks_see_what_was_recorded(tmp_path: Path) -> None:
    (frame,) = frames(1)
    with Recorder(tmp_path / "run.mcap", []) as recorder:
        seen = recorder.frame(frame)
    (stored,) = Recording(tmp_path / "run.mcap").read_frames()
    assert (stored.frame().image == seen.image).all()
    assert stored.is_as_seen(seen)
    assert not stored.is_as_seen(frame)


def test_png_keeps_every_pixel(tmp_path: Path) -> None:
    (frame,) = frames(1)
    with Recorder(tmp_path / "run.mcap", [], image_format="png") as recorder:
        assert recorder.frame(frame) is frame
    (stored,) = Recording(tmp_path / "run.mcap").read_frames()
    assert (stored.frame().image == frame.image).all()


def test_of_a_blurred_recording_the_tasks_see_the_camera_s_frames(tmp_path: Path) -> None:
    (frame,) = frames(1)
    gray = Frame(np.full_like(frame.image, 128), frame.stamp_ns, frame.seq, frame.source)
    with Recorder(tmp_path / "run.mcap", [], blurred=True) as recorder:
        assert recorder.frame(frame, gray) is frame
    recording = Recording(tmp_path / "run.mcap")
    (stored,) = recording.read_frames()
    assert recording.blurred
    assert np.abs(stored.frame().image.astype(int) - 128).max() <= 1


def test_observations_alone_take_no_room_for_frames(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap", image_format=None)
    recording = Recording(tmp_path / "run.mcap")
    assert (recording.frames, len(recording.looks["counts"])) == (0, 12)
    assert (tmp_path / "run.mcap").stat().st_size < 20_000


def test_a_recording_is_a_camera(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap", image_format="png")
    with open_camera(tmp_path / "run.mcap") as camera:
        assert not camera.live
        again = list(camera)
    for now, then in zip(again, frames(12), strict=True):
        assert (now.image == then.image).all()
        assert now.seq == then.seq
        assert now.stamp_ns - again[0].stamp_ns == then.stamp_ns - frames(1)[0].stamp_ns


def test_without_a_frame_no_file_is_left(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.mcap", []):
        assert [path.name for path in tmp_path.iterdir()] == ["run.part.mcap"]
    assert list(tmp_path.iterdir()) == []


def test_a_killed_program_leaves_a_part_that_can_be_read(tmp_path: Path) -> None:
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / "support")!r})
from pathlib import Path
from recorded import Counts, endless
from reflexarc.perception.recording import Recorder, TaskRun
recorder = Recorder(Path({str(tmp_path / "run.mcap")!r}), [TaskRun("counts")])
task = recorder.listen("counts", Counts())
for frame in endless():
    task.process(recorder.frame(frame))
    print(frame.seq, flush=True)
"""
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    while int(running.stdout.readline()) < 200:
        pass
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == ["run.part.mcap"]
    recording = Recording(tmp_path / "run.part.mcap")
    assert not recording.is_whole
    stored = list(recording.read_frames())
    # At most half a megabyte was not written yet.
    assert len(stored) == recording.frames > 100
    assert recording.frames - len(recording.looks["counts"]) in (0, 1)
    with pytest.raises(RecordingError, match="reflexarc replay"):
        Recorder(tmp_path / "run.mcap", [])


def test_on_a_full_disk_what_was_recorded_is_kept_and_named(
    tmp_path: Path, in_small_files: InSmallFiles
) -> None:
    done = in_small_files(
        1_500_000,
        f"""
        from pathlib import Path
        from recorded import Counts, endless
        from reflexarc.core import WriteError
        from reflexarc.perception.recording import Recorder, TaskRun
        try:
            with Recorder(Path({str(tmp_path / "run.mcap")!r}), [TaskRun("counts")]) as recorder:
                task = recorder.listen("counts", Counts())
                for frame in endless():
                    task.process(recorder.frame(frame))
        except WriteError as error:
            print(error)
        """,
    )
    assert "Traceback" not in done.stderr
    assert "free some space" in done.stdout
    assert f"recorded until then is in {tmp_path / 'run.mcap'}" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["run.mcap"]
    recording = Recording(tmp_path / "run.mcap")
    assert recording.is_whole
    assert len(list(recording.read_frames())) == recording.frames > 50
    with (tmp_path / "run.mcap").open("rb") as file:
        assert sum(1 for _ in make_reader(file).iter_messages()) > 100


def test_a_disk_that_is_full_from_the_start_leaves_nothing(
    tmp_path: Path, in_small_files: InSmallFiles
) -> None:
    done = in_small_files(
        100,
        f"""
        from pathlib import Path
        from reflexarc.core import WriteError
        from reflexarc.perception.recording import Recorder
        try:
            Recorder(Path({str(tmp_path / "run.mcap")!r}), [])
        except WriteError as error:
            print(error)
        """,
    )
    assert "nothing was recorded" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file/run.mcap", "folder.mcap"])
def test_a_place_that_cannot_be_written_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mcap").mkdir()
    with pytest.raises(WriteError, match=place):
        Recorder(tmp_path / place, [])


def test_another_ending_or_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="ends in .mcap"):
        Recorder(tmp_path / "run.bag", [])
    with pytest.raises(RecordingError, match="jpeg, png"):
        Recorder(tmp_path / "run.mcap", [], image_format="webp")
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    from mcap.writer import Writer

    with (tmp_path / "foreign.mcap").open("wb") as file:
        writer = Writer(file)
        writer.start()
        writer.finish()
    (tmp_path / "empty.mcap").touch()
    (tmp_path / "text.mcap").write_text("not a recording at all")
    for name in ("foreign", "empty", "text"):
        with pytest.raises(RecordingError, match=r"--record run\.mcap"):
            Recording(tmp_path / f"{name}.mcap")
    with pytest.raises(RecordingError, match="check the path"):
        Recording(tmp_path / "none.mcap")


def test_whatever_is_cut_off_or_flipped_is_read_up_to_there_or_refused(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap", 20)
    whole = (tmp_path / "run.mcap").read_bytes()
    chance = random.Random(5)
    damaged = tmp_path / "damaged.mcap"
    outcomes = set()
    for at in [0, 9, 60, *(chance.randrange(len(whole)) for _ in range(60))]:
        data = bytearray(whole)
        if chance.random() < 0.5:
            del data[at:]
        else:
            data[at] ^= 1 << chance.randrange(8)
        damaged.write_bytes(data)
        try:
            recording = Recording(damaged)
            outcomes.add("whole" if recording.is_whole else "part")
            assert len(list(recording.read_frames())) == recording.frames <= 20
        except ReflexarcError:
            outcomes.add("refused")
    assert outcomes >= {"part", "refused"}
