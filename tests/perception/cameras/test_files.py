"""Pictures, folders and videos: what is read comes out right, and what is broken is named."""

from __future__ import annotations

import struct
import threading
import time
import zlib
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sim_clock import SimClock

from reflexarc.perception.cameras import CameraError, open_camera, read_picture
from reflexarc.perception.cameras.complete import missing_end
from reflexarc.perception.cameras.synthetic import read_counter

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture(left=RED, right=GREEN, width=64, height=48):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2], image[:, width // 2 :] = left, right
    return image


def save(path: Path, image, *options) -> Path:
    stored = image if image.ndim == 2 else image[..., [2, 1, 0, *range(3, image.shape[2])]]
    assert cv2.imwrite(str(path), stored, list(options))
    return path


def save_video(path: Path, count: int, codec="MJPG", fps=10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (64, 48))
    assert writer.isOpened()
    for i in range(count):
        writer.write(np.full((48, 64, 3), i * 5, np.uint8))
    writer.release()
    return path


def frames(source):
    with open_camera(source) as camera:
        return list(camera)


def close(image, color):
    return np.abs(image.reshape(-1, 3).mean(0) - color).max() < 3


# --- one picture ---


@pytest.mark.parametrize("ending", [".png", ".jpg", ".JPEG", ".bmp", ".webp", ".tif", ".ppm"])
def test_a_picture_is_one_rgb_frame(tmp_path, ending):
    path = save(tmp_path / f"red-green{ending}", picture())

    (frame,) = frames(path)

    assert frame.image.dtype == np.uint8
    assert frame.image.shape == (48, 64, 3)
    assert close(frame.image[:, :20], RED)
    assert close(frame.image[:, -20:], GREEN)
    assert (frame.seq, frame.source) == (0, str(path))
    assert frame.stamp_ns > 0


@pytest.mark.parametrize(
    ("name", "stored", "seen"),
    [
        ("gray.png", np.full((8, 8), 77, np.uint8), (77, 77, 77)),
        ("gray16.png", np.full((8, 8), 77 * 257, np.uint16), (77, 77, 77)),
        ("color16.png", np.full((8, 8, 3), (40 * 257, 0, 65535), np.uint16), (40, 0, 255)),
        ("opaque.png", np.full((8, 8, 4), (10, 20, 30, 255), np.uint8), (10, 20, 30)),
        ("half.png", np.full((8, 8, 4), (0, 0, 0, 128), np.uint8), (127, 127, 127)),
        ("clear.png", np.full((8, 8, 4), (9, 9, 9, 0), np.uint8), (255, 255, 255)),
        ("clear.webp", np.full((8, 8, 4), (9, 9, 9, 0), np.uint8), (255, 255, 255)),
    ],
)
def test_gray_deep_and_transparent_pictures_become_rgb_on_white(tmp_path, name, stored, seen):
    image = read_picture(save(tmp_path / name, stored))

    assert image.shape == (8, 8, 3)
    assert np.abs(image.astype(int) - seen).max() <= 1


def test_a_palette_png_shows_its_colors(tmp_path):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\0" + bytes([0, 1]) for _ in range(2))  # 2x2: red, green
    path = tmp_path / "palette.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes([*RED, *GREEN]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )

    assert read_picture(path).tolist() == [[list(RED), list(GREEN)]] * 2


def test_exif_orientation_turns_the_picture_upright(tmp_path):
    path = save(tmp_path / "turned.jpg", picture())
    jpeg = path.read_bytes()
    # One IFD entry: orientation (0x0112) = 6, "turn 90 degrees clockwise to view".
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    app1 = b"Exif\0\0" + tiff
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpeg[2:])

    image = read_picture(path)

    assert image.shape == (64, 48, 3)
    assert close(image[:20], RED)  # left became top
    assert close(image[-20:], GREEN)


# --- pictures that are none, or not whole ---


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp"])
@given(kept=st.floats(0.02, 0.97))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_picture_is_an_error_never_half_a_picture(tmp_path, ending, kept):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = save(tmp_path / f"whole{ending}", noise).read_bytes()
    cut = tmp_path / f"cut{ending}"
    cut.write_bytes(data[: int(len(data) * kept)])

    with pytest.raises(CameraError) as caught:
        read_picture(cut)

    assert str(cut) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_jpeg_cut_after_its_thumbnail_is_still_seen_as_cut(tmp_path):
    thumbnail = save(tmp_path / "small.jpg", picture(width=16, height=16)).read_bytes()
    jpeg = save(tmp_path / "big.jpg", picture()).read_bytes()
    app1 = b"Exif\0\0" + thumbnail  # has an end-of-image marker of its own
    whole = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpeg[2:]

    assert missing_end(whole) is None
    assert missing_end(whole[:-40]) == "no end-of-image marker"


@given(
    data=st.binary(max_size=64),
    start=st.sampled_from([b"", b"\xff\xd8\xff", b"BM", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n"]),
)
def test_the_completeness_check_survives_any_bytes(data, start):
    assert missing_end(start + data) is None or isinstance(missing_end(start + data), str)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "an empty file"), (b"not a picture at all", "no picture")]
)
def test_a_file_that_is_no_picture_is_an_error(tmp_path, content, says):
    path = tmp_path / "fake.png"
    path.write_bytes(content)

    with pytest.raises(CameraError, match=says):
        open_camera(path)


# --- folders ---


def test_a_folder_gives_its_pictures_in_natural_order_with_those_of_its_folders(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".thumbnails").mkdir()
    for name in ["10.png", "9.png", "b/1.png", ".hidden.png", ".thumbnails/1.png"]:
        save(tmp_path / name, picture())
    (tmp_path / "notes.txt").write_text("not a picture")

    seen = frames(tmp_path)

    assert [Path(f.source).relative_to(tmp_path).as_posix() for f in seen] == [
        "9.png",
        "10.png",
        "b/1.png",
    ]
    assert [f.seq for f in seen] == [0, 1, 2]
    assert all(a.stamp_ns <= b.stamp_ns for a, b in pairwise(seen))


def test_one_bad_picture_does_not_lose_the_rest_and_is_named_at_the_end(tmp_path):
    for name in ["1.png", "2.png", "3.png"]:
        save(tmp_path / name, picture())
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:-20])
    seen = []

    with open_camera(tmp_path) as camera, pytest.raises(CameraError) as caught:
        seen.extend(camera_frame for camera_frame in camera)

    assert camera.statistics().bad == 1
    assert camera.statistics().given == 2
    assert "2.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_good_pictures_come_before_the_error(tmp_path):
    for name in ["1.png", "2.png", "3.png"]:
        save(tmp_path / name, picture())
    (tmp_path / "2.png").write_bytes(b"broken")

    with open_camera(tmp_path) as camera:
        stream = iter(camera)
        assert [next(stream).seq, next(stream).seq] == [0, 2]  # the gap is the bad one
        with pytest.raises(CameraError, match=r"1 unreadable: .*2\.png"):
            next(stream)


def test_a_folder_without_pictures_says_which_endings_are_read(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")

    with pytest.raises(CameraError, match=r"\.jpeg .*\.png"):
        open_camera(tmp_path)


# --- videos ---


def test_a_video_gives_its_frames_stamped_by_its_own_clock(tmp_path):
    seen = frames(save_video(tmp_path / "clip.avi", 12, fps=10.0))

    assert [f.seq for f in seen] == list(range(12))
    assert [round(float(f.image.mean()) / 5) for f in seen] == list(range(12))
    steps = np.diff([f.stamp_ns for f in seen])
    assert np.allclose(steps, 100e6, rtol=0.02)


def test_a_video_can_be_read_again_and_closed_twice(tmp_path):
    camera = open_camera(save_video(tmp_path / "clip.avi", 5))

    assert len(list(camera)) == len(list(camera)) == 5
    camera.close()
    camera.close()


def test_a_cut_video_gives_what_is_left_and_then_says_so(tmp_path):
    path = save_video(tmp_path / "clip.avi", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    seen = []

    with open_camera(path) as camera, pytest.raises(CameraError, match="expected 40 frames"):
        for frame in camera:
            seen.append(frame)

    assert 5 < len(seen) < 30


def test_a_looped_video_goes_on_counting_and_its_stamps_go_on_rising(tmp_path):
    path = save_video(tmp_path / "clip.avi", 12, fps=10.0)
    with open_camera(f"{path}?loop=1") as camera:
        seen = list(islice(camera, 30))

    assert [f.seq for f in seen] == list(range(30))
    assert [round(float(f.image.mean()) / 5) for f in seen] == [n % 12 for n in range(30)]
    assert np.allclose(np.diff([f.stamp_ns for f in seen]), 100e6, rtol=0.02)


@pytest.mark.parametrize("codec", ["MJPG", "mp4v"])
@pytest.mark.parametrize("start", [0.0, 0.5, 5.05, 11.0, 19.9])
def test_a_video_starts_at_the_frame_of_the_time_it_is_told(tmp_path, codec, start):
    ending = {"MJPG": "avi", "mp4v": "mp4"}[codec]
    path = tmp_path / f"clip.{ending}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10.0, (160, 120))
    with open_camera("synthetic:?size=160x120&frames=200&pace=fast") as camera:
        for frame in camera:
            writer.write(frame.image[..., ::-1])
    writer.release()

    with open_camera(path, start=start) as camera:
        seen = list(camera)

    first = int(np.ceil(start * 10))
    assert [read_counter(f.image) for f in seen] == list(range(first, 200))
    assert [f.seq for f in seen] == list(range(200 - first))
    assert np.allclose(np.diff([f.stamp_ns for f in seen]), 100e6, rtol=0.02)


def test_a_start_beyond_the_end_is_an_error(tmp_path):
    path = save_video(tmp_path / "clip.avi", 12, fps=10.0)
    with pytest.raises(CameraError, match=r"last longer than start=9; found its last frame is at"):
        open_camera(f"{path}?start=9")


def test_at_real_pace_no_frame_comes_before_its_time(tmp_path):
    clock = SimClock()
    start_ns = clock.now_ns()
    with open_camera(
        save_video(tmp_path / "clip.avi", 12, fps=10.0), pace="real", clock=clock
    ) as camera:
        times = [(f.stamp_ns, clock.now_ns()) for f in camera]

    assert all(now_ns == stamp_ns for stamp_ns, now_ns in times)
    assert clock.now_ns() - start_ns == pytest.approx(1.1e9, rel=0.02)


def test_a_slow_user_of_a_real_pace_video_loses_nothing(tmp_path):
    clock = SimClock()
    path = save_video(tmp_path / "clip.avi", 12, fps=10.0)
    with open_camera(path, pace="real", clock=clock) as camera:
        seen = []
        for frame in camera:
            clock.advance(0.5)
            seen.append(frame.seq)
    assert seen == list(range(12))
    assert clock.slept == [] or max(clock.slept) <= 0


def test_closing_in_mid_iteration_ends_it_and_lets_the_file_go(tmp_path):
    path = save_video(tmp_path / "clip.avi", 12)
    with open_camera(path) as camera:
        for frame in camera:
            if frame.seq == 3:
                camera.close()
    assert frame.seq == 3
    assert camera.statistics().health == "closed"
    assert list(camera) == []
    held = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
    assert path.resolve() not in held


def test_closing_from_another_thread_ends_the_wait_for_the_next_frame(tmp_path):
    path = save_video(tmp_path / "clip.avi", 3, fps=0.1)
    camera = open_camera(path, pace="real")
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(f.seq for f in camera))
    thread.start()
    while camera.statistics().captured == 0:
        time.sleep(0.005)
    camera.close()
    thread.join(5)
    assert not thread.is_alive()
    assert seen == [0]


def test_files_have_statistics_too(tmp_path):
    with open_camera(save_video(tmp_path / "clip.avi", 12, fps=10.0)) as camera:
        assert not camera.live
        assert camera.statistics().health == "opening"
        frames = iter(camera)
        next(frames)
        assert camera.statistics().health == "ok"
        assert len(list(frames)) == 11
    statistics = camera.statistics()
    assert (statistics.captured, statistics.given, statistics.dropped) == (12, 12, 0)
    assert statistics.fps == pytest.approx(10.0, rel=0.02)
    assert statistics.size == (64, 48)


def test_a_folder_can_be_looped_at_a_rate(tmp_path):
    for name in ["1.png", "2.png"]:
        save(tmp_path / name, picture())
    clock = SimClock()
    with open_camera(f"{tmp_path}?loop=1&fps=20", clock=clock) as camera:
        seen = list(islice(camera, 6))
    assert [Path(f.source).name for f in seen] == ["1.png", "2.png"] * 3
    assert np.allclose(np.diff([f.stamp_ns for f in seen]), 50e6)
    assert clock.slept[1:] == pytest.approx([0.05] * 5)


def test_a_looped_folder_still_names_its_bad_pictures(tmp_path):
    save(tmp_path / "1.png", picture())
    (tmp_path / "2.png").write_bytes(b"broken")
    with open_camera(tmp_path, loop=True) as camera, pytest.raises(CameraError, match=r"2\.png"):
        list(camera)


def test_a_picture_can_be_shown_for_ever(tmp_path):
    path = save(tmp_path / "a.png", picture())
    with open_camera(f"{path}?loop") as camera:
        assert [f.seq for f in islice(camera, 5)] == list(range(5))


@pytest.mark.parametrize("ending", [".mp4", ".avi", ".gif", ".mkv"])
@pytest.mark.parametrize("content", [b"", b"no video, only words " * 50])
def test_a_file_that_is_no_video_is_an_error(tmp_path, ending, content):
    path = tmp_path / f"fake{ending}"
    path.write_bytes(content)

    with pytest.raises(CameraError, match="no frame can be decoded"):
        open_camera(path)


def test_a_video_without_frames_is_an_error(tmp_path):
    path = save_video(tmp_path / "short.avi", 3)
    data = path.read_bytes()
    path.write_bytes(data[: data.find(b"movi") + 4])

    with pytest.raises(CameraError, match="no frame can be decoded"):
        open_camera(path)


# --- sources ---


def test_a_path_that_does_not_exist_is_an_error():
    with pytest.raises(CameraError, match="no file or folder 'nowhere/at/all.png'"):
        open_camera("nowhere/at/all.png")


def test_an_ending_that_nothing_reads_is_an_error(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("words")

    with pytest.raises(CameraError, match=r"\.png.*\.mp4"):
        open_camera(path)


def test_nothing_but_the_error_is_printed_about_a_broken_video(tmp_path, capfd):
    path = tmp_path / "fake.mp4"
    path.write_bytes(b"no video")

    with pytest.raises(CameraError):
        open_camera(path)

    assert capfd.readouterr() == ("", "")
