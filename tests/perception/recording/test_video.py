"""Videos: frame rate, size, and nothing half-written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.core import WriteError
from reflexarc.perception.recording import encoders, video
from reflexarc.perception.recording.video import VideoFileWriter

MS = 1_000_000

needs_h264 = pytest.mark.skipif(not encoders.has_h264(), reason="no PyAV here")


@pytest.fixture(params=["webm", "mp4 by OpenCV", pytest.param("mp4", marks=needs_h264)])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ending, _, by = request.param.partition(" by ")
    if by:
        monkeypatch.setattr(video, "has_h264", lambda: False)
    return tmp_path / f"out.{ending}"


def gray(value: int, width: int = 160, height: int = 120) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def read(path: Path) -> tuple[float, list[np.ndarray]]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    rate, frames = capture.get(cv2.CAP_PROP_FPS), []
    while (got := capture.read())[0]:
        frames.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
    capture.release()
    return rate, frames


def test_the_rate_is_that_of_the_stamps_also_when_they_shiver(path: Path) -> None:
    shiver = np.random.default_rng(1).integers(-4, 5, 30) * MS
    with VideoFileWriter(path) as writer:
        for i in range(30):
            writer.put(gray(60 + 5 * i), i * 40 * MS + int(shiver[i]))
    rate, frames = read(path)
    assert rate == pytest.approx(25)
    assert len(frames) == pytest.approx(30, abs=1)
    means = [frame.mean() for frame in frames]
    assert means == sorted(means)
    assert means[0] == pytest.approx(60, abs=4)
    assert list(path.parent.iterdir()) == [path]


def test_dropped_frames_leave_no_hole_in_time(path: Path) -> None:
    with VideoFileWriter(path) as writer:
        for i in [*range(15), *range(20, 30)]:
            writer.put(gray(200 if i >= 20 else 50), i * 100 * MS)
    rate, frames = read(path)
    assert (rate, len(frames)) == (pytest.approx(10), 30)
    assert frames[18].mean() < 70 < 180 < frames[21].mean()


def test_a_camera_that_was_away_for_an_hour_adds_no_hour(path: Path) -> None:
    with VideoFileWriter(path) as writer:
        for i in range(15):
            writer.put(gray(90), i * 100 * MS)
        for i in range(5):
            writer.put(gray(90), 3_600_000 * MS + i * 100 * MS)
    assert len(read(path)[1]) == 20


def test_pictures_are_shown_at_the_rate_that_is_asked_for(path: Path) -> None:
    with VideoFileWriter(path, fps=2) as writer:
        for i in range(5):
            writer.put(gray(40 * i), i)
    rate, frames = read(path)
    assert (rate, len(frames)) == (pytest.approx(2), 5)


def test_another_size_in_mid_stream_is_letterboxed_into_the_first(path: Path) -> None:
    with VideoFileWriter(path) as writer:
        for i in range(20):
            image = gray(200, 161, 121) if i < 15 else gray(200, 60, 120)
            writer.put(image, i * 40 * MS)
    _, frames = read(path)
    assert {frame.shape for frame in frames} == {(120, 160, 3)}
    assert frames[-1][60, 80].mean() > 180
    assert frames[-1][60, 5].mean() < 40


def test_one_frame_is_a_video_and_none_is_no_file(path: Path) -> None:
    with VideoFileWriter(path):
        pass
    assert list(path.parent.iterdir()) == []
    with VideoFileWriter(path) as writer:
        writer.put(gray(100), 0)
    assert len(read(path)[1]) == 1


def test_ctrl_c_finishes_it_and_a_bug_leaves_nothing(path: Path) -> None:
    for error in (KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(error), VideoFileWriter(path) as writer:
            for i in range(20):
                writer.put(gray(100), i * 40 * MS)
            raise error
        assert path.exists() == (error is KeyboardInterrupt)
        path.unlink(missing_ok=True)
        assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("ending", ["webm", pytest.param("mp4", marks=needs_h264)])
def test_a_disk_that_is_full_in_mid_video_leaves_nothing(
    ending: str,
    tmp_path: Path,
    in_small_files: Callable[[int, str], subprocess.CompletedProcess[str]],
) -> None:
    out = tmp_path / f"out.{ending}"
    done = in_small_files(
        50_000,
        f"""
        from pathlib import Path
        from recorded import frames
        from reflexarc.core import WriteError
        from reflexarc.perception.recording.video import VideoFileWriter
        try:
            with VideoFileWriter(Path({str(out)!r})) as writer:
                for frame in frames(150):
                    writer.put(frame.image, frame.stamp_ns)
        except WriteError as error:
            print(error)
        """,
    )
    assert "Traceback" not in done.stderr
    assert "nothing was left behind" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_written_or_read_by_others_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"\.mp4 or \.webm"):
        VideoFileWriter(tmp_path / "out.avi")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file/out"):
        VideoFileWriter(tmp_path / "file" / "out.webm")


@needs_h264
def test_mp4_is_h264_and_without_it_a_note_says_what_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VideoFileWriter(tmp_path / "a.mp4") as writer:
        writer.put(gray(9), 0)
    assert writer.note == ""
    capture = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").lower()
    capture.release()
    assert code in (b"h264", b"avc1")
    monkeypatch.setattr(video, "has_h264", lambda: False)
    with VideoFileWriter(tmp_path / "b.mp4") as writer:
        writer.put(gray(9), 0)
    assert ".webm" in writer.note
    assert len(read(tmp_path / "b.mp4")[1]) == 1
