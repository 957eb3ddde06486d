"""The camera's frames from another process: whole, newest first, and never from the dead."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from reflexarc.perception.cameras import CameraError, camera_kinds, open_camera
from reflexarc.sim.frames import FrameReader, FramesError, FrameWriter, bell_path

SOURCE = Path(__file__).parents[1] / "support" / "frame_source.py"
SIZE = (160, 120)

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a writer in another process; `go` lets it write."""
    with contextlib.ExitStack() as stack:

        def begin(
            frames: int = 0, fps: float = 100.0, path: Path = tmp_path / "camera"
        ) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, str(SOURCE), str(path), str(frames), str(fps)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(end, process)
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            return process

        yield begin


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def picture(value: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), value, np.uint8)


# ---- as a camera


def test_it_is_a_camera_of_another_process(start: Start, tmp_path: Path) -> None:
    process = start(frames=40, fps=100)
    before_ns = time.monotonic_ns()
    with open_camera(f"box:{tmp_path}/camera") as camera:
        go(process)
        frames = list(camera)  # ends when the simulation has ended in order
    assert len(frames) >= 2 and camera.live
    stamps = [frame.stamp_ns for frame in frames]
    assert (
        before_ns < stamps[0] and stamps == sorted(set(stamps)) and stamps[-1] < time.monotonic_ns()
    )
    for frame in frames:
        assert frame.image.shape == (120, 160, 3) and (frame.image == frame.image[0, 0, 0]).all()
    assert frames[-1].image[0, 0, 0] == 39  # the newest, whatever was left out before


def test_a_killed_simulation_is_an_outage_and_a_new_one_ends_it(
    start: Start, tmp_path: Path
) -> None:
    first = start()
    go(first)
    with open_camera(f"box:{tmp_path}/camera") as camera:
        frames = iter(camera)
        next(frames)
        first.kill()
        first.wait()
        second: list[subprocess.Popen[bytes]] = []

        def restart() -> None:
            second.append(start())
            go(second[0])

        while camera.statistics().health != "reopening":
            time.sleep(0.01)
        assert "died" in camera.statistics().outages[-1].what
        restart()
        deadline = time.monotonic() + 60
        while camera.statistics().recoveries == 0 and time.monotonic() < deadline:
            next(frames)
        assert camera.statistics().recoveries == 1


def test_what_is_no_simulation_is_said(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="frames of a simulation at .*none"):
        open_camera(f"box:{tmp_path}/none")
    with pytest.raises(CameraError, match="no path"):
        open_camera("box:")
    other = tmp_path / "other"
    other.write_bytes(b"")
    with pytest.raises(CameraError, match="empty"):
        open_camera(f"box:{other}")
    other.write_bytes(bytes(10_000))
    with pytest.raises(CameraError, match="something else"):
        open_camera(f"box:{other}")


def test_it_can_wait_for_the_simulation(start: Start, tmp_path: Path) -> None:
    def later() -> None:
        time.sleep(0.3)
        go(start())

    thread = threading.Thread(target=later)
    thread.start()
    with open_camera(f"box:{tmp_path}/camera?wait=60") as camera:
        assert next(iter(camera)).image.shape == (120, 160, 3)
    thread.join()


def test_it_is_in_the_list_of_cameras() -> None:
    (kind,) = (kind for kind in camera_kinds() if kind.name == "box")
    assert kind.live and kind.missing is None and "box:/" in kind.usage


# ---- shared memory


def test_a_reader_that_is_slower_or_faster_gets_whole_frames_only(
    start: Start, tmp_path: Path
) -> None:
    process = start(fps=0)  # as fast as it can: overtakes the reader again and again
    reader = FrameReader(tmp_path / "camera")
    go(process)
    last = -1
    for number in range(300):
        if number % 10 == 0:
            time.sleep(0.003)
        frame = reader.read(20)
        assert frame is not None and frame.seq > last
        last = frame.seq
        assert (frame.image == last % 251).all(), "torn"
        assert frame.sim_ns == last * 1_000_000
    reader.close()
    assert last > 300  # it was overtaken


def test_a_frame_that_is_half_written_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "camera"
    writer = FrameWriter(path, SIZE)
    reader = FrameReader(path)
    writer.write(picture(7), 1, 2)
    with path.open("r+b") as file:  # what a torn frame is: other pixels than the checksum's
        file.seek(4096 + 64 + 1000)
        file.write(b"\xff" * 100)
    with pytest.raises(FramesError, match="damaged"):
        reader.read(1)
    writer.write(picture(8), 3, 4)
    frame = reader.read(1)
    assert (
        frame is not None and (frame.image == 8).all() and (frame.stamp_ns, frame.sim_ns) == (3, 4)
    )
    reader.close()
    writer.close()


def test_a_frame_is_given_once_and_the_last_one_before_the_end(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "camera", SIZE)
    reader = FrameReader(tmp_path / "camera")
    for value in range(3):
        writer.write(picture(value), value, value)
    writer.close()
    frame = reader.read(1)
    assert frame is not None and frame.seq == 2
    assert reader.read(1) is None
    reader.close()
    assert not (tmp_path / "camera").exists() and not bell_path(tmp_path / "camera").exists()


def test_a_reader_that_waits_can_be_woken_and_does_not_wait_for_ever(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "camera", SIZE)
    reader = FrameReader(tmp_path / "camera")
    with pytest.raises(FramesError, match="none in 0.05 s"):
        reader.read(0.05)
    timer = threading.Timer(0.05, reader.interrupt)
    timer.start()
    with pytest.raises(FramesError, match="closed meanwhile"):
        reader.read(60)
    timer.join()
    reader.close()
    writer.close()


def test_waiting_takes_no_processor_time(start: Start, tmp_path: Path) -> None:
    start()  # writes nothing
    reader = FrameReader(tmp_path / "camera")
    begin = time.process_time()
    with pytest.raises(FramesError):
        reader.read(1.0)
    assert time.process_time() - begin < 0.1
    reader.close()


def test_several_read_and_each_may_go(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "camera", SIZE)
    readers = [FrameReader(tmp_path / "camera") for _ in range(3)]
    for value in range(20):
        writer.write(picture(value), value, value)
        for reader in readers:
            frame = reader.read(5)
            assert frame is not None and frame.seq == value
        if value in (5, 10):
            readers.pop().close()
    for reader in readers:
        reader.close()
    writer.close()


def test_a_long_path_and_a_socket_that_was_left_behind_are_fine(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / ("long" * 20) / ("longer" * 15)
    for _ in range(2):
        end(start(path=folder / "camera"))  # killed: it does not tidy up
        assert (folder / "camera").exists()
        with pytest.raises(FramesError, match="has ended"):
            FrameReader(folder / "camera")
    writer = FrameWriter(folder / "camera", SIZE)
    reader = FrameReader(folder / "camera")
    writer.write(picture(1), 1, 1)
    assert reader.read(5) is not None
    reader.close()
    writer.close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FramesError, match="to make"):
        FrameWriter(tmp_path / "file" / "camera", SIZE)
