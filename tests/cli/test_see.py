"""`reflexarc see` from end to end."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from shell import Run

from reflexarc.cli.frames import Frames
from reflexarc.cli.outputs import JsonLines
from reflexarc.core import ReflexarcError, WriteError
from reflexarc.perception.recording import Recording

COMMAND = [sys.executable, "-m", "reflexarc.cli"]


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A video of a three that moves: 12 frames, 10 a second."""
    path = tmp_path / "paper.webm"
    from reflexarc.perception.recording.video import VideoFileWriter

    with VideoFileWriter(path) as video:
        for seq in range(12):
            image = np.full((240, 320, 3), 205, np.uint8)
            cv2.putText(
                image, "3", (120 + 3 * seq, 150), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (30, 30, 40), 5
            )
            video.put(image, seq * 100_000_000)
    return path


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def frames_in(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def test_several_tasks_each_at_its_rate_all_outputs_at_once(
    reflexarc: Run, paper: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, text, err = reflexarc(
        *("see", paper, "--task", "digits,pose", "--option", "smallest_px=40"),
        *("--every-n", "pose:3", "--jsonl", out / "seen.jsonl", "--save", out / "seen.webm"),
        *("--record", out / "run.mcap"),
    )
    assert (code, text) == (0, "")
    seen = lines((out / "seen.jsonl").read_text())
    by_task = [[one["seq"] for one in seen if one["task"] == task] for task in ("digits", "pose")]
    assert by_task == [list(range(12)), [0, 3, 6, 9]]
    # Of one frame always in the same order, whichever task was faster.
    assert [one["task"] for one in seen if one["seq"] == 3] == ["digits", "pose"]
    assert sum(bool(one["detections"]) for one in seen if one["task"] == "digits") >= 8
    assert frames_in(out / "seen.webm") == 12
    recording = Recording(out / "run.mcap")
    assert recording.runs["digits"].options == {"smallest_px": 40}
    assert {task: len(looks) for task, looks in recording.looks.items()} == {
        "digits": 12,
        "pose": 4,
    }
    assert "12 frames" in err
    assert reflexarc("replay", out / "run.mcap")[0] == 0
    assert sorted(path.name for path in out.iterdir()) == ["run.mcap", "seen.jsonl", "seen.webm"]


@pytest.mark.parametrize("given", [["--jsonl"], ["--jsonl", "-"], ["--jsonl", "--frames", "12"]])
def test_json_lines_go_to_stdout_where_no_file_is_named(
    given: list[str], reflexarc: Run, paper: Path
) -> None:
    code, out, _ = reflexarc("see", paper, *given)
    assert code == 0
    assert [one["seq"] for one in lines(out)] == list(range(12))


def test_one_json_document(reflexarc: Run, paper: Path) -> None:
    code, out, _ = reflexarc("see", paper, "--json", "--frames", "3")
    assert code == 0
    assert [one["seq"] for one in json.loads(out)] == [0, 1, 2]


def test_lines_for_people_name_the_task_where_there_are_several(
    reflexarc: Run, paper: Path
) -> None:
    _, out, err = reflexarc("see", paper, "--seconds", "0.25", "--task", "digits,pose")
    assert "paper.webm #1 digits: 3 " in out
    assert "3 frames" in err


def test_the_smallest_digit_and_a_folder_for_pictures(
    reflexarc: Run, paper: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "drawn"
    code, out, _ = reflexarc("see", paper, "--smallest", "40", "--save", folder, "--frames", "2")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert [path.name for path in sorted(folder.iterdir())] == [
        "paper-000000.png",
        "paper-000001.png",
    ]


def test_a_line_given_in_parts_of_the_picture_is_drawn_where_it_counts(
    reflexarc: Run, paper: Path, tmp_path: Path
) -> None:
    line = 'people.lines={"door": [[0.25, 0], [0.25, 1]]}'
    saved = tmp_path / "pictures"
    given = ["--task", "people", "--option", line, "--frames", "2", "--save", str(saved)]
    assert reflexarc("see", str(paper), *given).code == 0
    for path in sorted(saved.iterdir()):
        blue, green, red = cv2.imread(str(path))[120:230].astype(int).transpose(2, 0, 1)
        marked = (red > 220) & (green < 120) & (blue < 120)
        assert marked[:, 78:83].any(axis=1).all()
        assert not marked[:, 100:].any()


def test_a_video_of_pictures_shows_two_a_second(reflexarc: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for seq in range(3):
        cv2.imwrite(str(tmp_path / "pictures" / f"{seq}.png"), np.full((60, 80, 3), 90, np.uint8))
    assert reflexarc("see", tmp_path / "pictures", "--save", tmp_path / "out.webm")[0] == 0
    capture = cv2.VideoCapture(str(tmp_path / "out.webm"))
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    assert (rate, count) == (2, 3)


def test_a_live_camera_is_seen_newest_first_and_what_was_dropped_stays_dropped(
    reflexarc: Run, tmp_path: Path
) -> None:
    run = tmp_path / "run.mcap"
    code, _, err = reflexarc(
        *("see", "synthetic:?fps=300&frames=90&size=320x240", "--task", "digits,pose"),
        *("--record", run, "--max-ms", "digits:0.05"),
    )
    assert code == 0
    looks = Recording(run).looks
    assert 0 < len(looks["digits"]) < 90
    assert "dropped; camera" in err
    code, out, _ = reflexarc("replay", run, "--json")
    assert code == 0
    assert {task["task"]: task["looks"] for task in json.loads(out)["tasks"]} == {
        task: len(seen) for task, seen in looks.items()
    }


def test_a_recording_is_a_source(reflexarc: Run, paper: Path, tmp_path: Path) -> None:
    run = tmp_path / "run.mcap"
    reflexarc("see", paper, "--record", run, "--record-frames", "png")
    _, then, _ = reflexarc("see", paper, "--jsonl")
    code, now, _ = reflexarc("see", run, "--jsonl")
    assert code == 0
    assert [one["detections"] for one in lines(now)] == [one["detections"] for one in lines(then)]
    alone = tmp_path / "alone.mcap"
    assert reflexarc("see", paper, "--record", alone, "--record-frames", "none")[0] == 0
    code, _, err = reflexarc("see", alone)
    assert code == 2
    assert "found none" in err


CASES: dict[str, tuple[list[str], str]] = {
    "unknown option": (["--option", "smalest_px=20"], "did you mean smallest_px=…?"),
    "option of another task": (["--option", "pose.people=2"], "KEY among: "),
    "option of wrong type": (["--option", "smallest_px=many"], "its default is "),
    "option without a value": (["--option", "smallest_px"], "KEY=VALUE"),
    "unknown task": (["--task", "digits,poze"], "did you mean pose?"),
    "no task": (["--task", " , "], "--task digits"),
    "a model of nobody's": (["--task", "digits,pose", "--model", "m.tflite"], "TASK=PATH"),
    "no rate": (["--every-n", "0"], "--every-n digits:3"),
    "a rate of nobody's": (["--max-ms", "pose:3"], "--max-ms digits:3"),
    "unknown device": (["--device", "gpu"], "auto, cpu"),
    "another ending": (["--save", "{dir}/out.avi"], "out.webm"),
    "a folder that is a file": (["--save", "{dir}/a.png/out.webm"], "a.png/out.webm"),
    "another recording": (["--record", "{dir}/run.bag"], "ends in .mcap"),
    "another format": (["--record", "{dir}/run.mcap", "--record-frames", "gif"], "jpeg, png"),
    "no port": (["--serve", "http"], "--serve 8080"),
    "port too high": (["--serve", "99999"], "1024 to 65535"),
    "no terminal": (["--terminal"], "--serve 8080"),
    "lines into nowhere": (["--jsonl", "{dir}/a.png/x.jsonl"], "x.jsonl"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained_in_one_line(case: str, tmp_path: Path, reflexarc: Run) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), 90, np.uint8))
    given, hint = CASES[case]
    code, out, err = reflexarc(
        "see", tmp_path / "a.png", *(part.replace("{dir}", str(tmp_path)) for part in given)
    )
    (line,) = (text for text in err.splitlines() if text.startswith("error: "))
    assert code == 2
    assert hint in line
    assert "Traceback" not in out + err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_port_that_is_taken_is_named(reflexarc: Run, paper: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = reflexarc("see", paper, "--serve", str(port))
    assert code == 2
    assert f"127.0.0.1:{port}" in err


def test_a_full_disk_keeps_whole_lines(tmp_path: Path) -> None:
    with JsonLines(Path("/dev/full")) as full, pytest.raises(WriteError, match="No space left"):
        full.write({"a": 1})
    code = f"""
import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from pathlib import Path
from reflexarc.cli.outputs import JsonLines
with JsonLines(Path({str(tmp_path / "x.jsonl")!r})) as lines:
    while True:
        lines.write({{"some": "words"}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "WriteError" in done.stderr
    assert lines((tmp_path / "x.jsonl").read_text()) == [{"some": "words"}] * 5


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        running.append(subprocess.Popen([*COMMAND, *map(str, arguments)], **pipes))
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.wait()
        for pipe in (one.stdout, one.stderr):
            if pipe is not None:
                pipe.close()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_whole_files(
    kind: signal.Signals, started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = started(
        *("see", "synthetic:?fps=50&size=160x120", "--task", "pose", "--jsonl", "-"),
        *("--record", tmp_path / "run.mcap", "--save", tmp_path / "run.webm"),
    )
    assert run.stdout is not None
    for _ in range(10):
        json.loads(run.stdout.readline())
    run.send_signal(kind)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert "p99 ms" in err  # the summary
    looks = 10 + len(lines(out))
    recording = Recording(tmp_path / "run.mcap")
    assert recording.is_whole
    assert len(recording.looks["pose"]) == looks
    assert frames_in(tmp_path / "run.webm") >= 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.mcap", "run.webm"]


def test_in_a_terminal_the_picture_is_drawn_and_the_screen_given_back(
    started: Callable[..., subprocess.Popen[str]], paper: Path
) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment |= {"COLUMNS": "100", "LINES": "30"}
    environment.pop("DISPLAY", None)
    environment.pop("WAYLAND_DISPLAY", None)
    run = started(
        *("see", f"{paper}?pace=real", "--show"),
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment,
    )
    os.close(theirs)
    screen = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            screen += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0
    assert "shown in the terminal: no display" in err
    assert screen.count(b"\x1b[?1049h") == screen.count(b"\x1b[?1049l") == 1
    assert "▀".encode() in screen
    assert b"digits" in screen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def fetch(port: int, path: str) -> bytes:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_faces_are_blurred_in_every_sink_and_the_task_still_sees_them(
    started: Callable[..., subprocess.Popen[str]], shared_data: Path, tmp_path: Path
) -> None:
    """A fine pattern lies over a scene with a face: it must show everywhere but on the face."""
    from reflexarc.perception.cameras import read_picture

    photos = tmp_path / "photos"
    photos.mkdir()
    scene = np.full((480, 640, 3), 120, np.uint8)
    photo = read_picture(sorted((shared_data / "mask" / "without_mask").iterdir())[40])
    scene[100:340, 200:440] = cv2.resize(photo, (240, 240))
    pattern = (np.indices(scene.shape[:2]) // 2).sum(axis=0) % 2 * 2.0 - 1
    scene = (scene.astype(float) + 30 * pattern[..., None]).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(photos / "a.png"), cv2.cvtColor(scene, cv2.COLOR_RGB2BGR))

    def strength(image: np.ndarray, where: tuple[slice, slice]) -> float:
        """Of the pattern in a part of a picture."""
        gray = image.astype(float).mean(axis=2)
        fine = gray - cv2.GaussianBlur(gray, (0, 0), 2)
        return float((fine * pattern)[where].mean())

    on_face, beside = np.s_[140:300, 240:400], np.s_[380:460, 40:600]
    assert strength(scene, on_face) > 15

    port = free_port()
    run = started(
        *("see", f"{photos}?loop=1&fps=10", "--task", "faces", "--blur-faces", "--serve", port),
        *("--save", tmp_path / "run.webm", "--record", tmp_path / "run.mcap", "--jsonl", "-"),
    )
    assert run.stdout is not None
    seen = [json.loads(run.stdout.readline()) for _ in range(8)]
    assert all(one["detections"] for one in seen)
    pictures = {"snapshot": cv2.imdecode(np.frombuffer(fetch(port, "/snapshot.jpg"), np.uint8), 1)}
    stream = urllib.request.urlopen(f"http://127.0.0.1:{port}/stream.mjpg", timeout=20)
    data = b""
    while b"\xff\xd9\r\n--" not in data:
        data += stream.read1(1 << 16)
    stream.close()
    jpeg = data[data.index(b"\xff\xd8") : data.index(b"\xff\xd9\r\n--") + 2]
    pictures["stream"] = cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    capture = cv2.VideoCapture(str(tmp_path / "run.webm"))
    for seq in range(3):
        pictures[f"video {seq}"] = capture.read()[1]
    capture.release()
    for stored in list(Recording(tmp_path / "run.mcap").read_frames())[:3]:
        pictures[f"recording {stored.seq}"] = stored.frame().image[..., ::-1]

    assert len(pictures) == 8
    for name, picture in pictures.items():
        assert strength(picture, beside) > 8, name
        assert abs(strength(picture, on_face)) < 1, name
    code = subprocess.run([*COMMAND, "replay", str(tmp_path / "run.mcap")], capture_output=True)
    assert code.returncode == 2
    assert b"blurred faces" in code.stderr


def test_frames_end_between_two_and_errors_wait_for_the_end() -> None:
    class OddError(ReflexarcError):
        pass

    def source() -> Iterator[int]:
        yield from range(3)
        raise OddError(expected="a", found="b", remedy="c")

    class Stamped:
        stamp_ns = 0

    frames = Frames()
    assert [i for i, _ in enumerate(frames.of(Stamped() for _ in source()))] == [0, 1, 2]
    assert isinstance(frames.failure, OddError)
    frames = Frames()
    with frames:
        for _ in frames.of(Stamped() for _ in range(10)):
            if frames.count == 4:
                signal.raise_signal(signal.SIGINT)  # in the middle of the work on a frame
    assert frames.interrupted
    assert frames.count == 4
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
