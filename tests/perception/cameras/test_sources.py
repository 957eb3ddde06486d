"""What a user types for a camera: kinds, options, mistakes; and cameras of other packages."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.core import PluginError
from reflexarc.perception.cameras import CameraError, camera_kinds, live_options, open_camera
from reflexarc.perception.cameras.source import Source, parse_source
from reflexarc.perception.cameras.synthetic import Synthetic, draw_counter, read_counter

# --- sources ---


@pytest.mark.parametrize(
    ("text", "kind", "address", "options"),
    [
        ("0", "v4l2", "/dev/video0", {}),
        ("12?fps=5", "v4l2", "/dev/video12", {"fps": "5"}),
        ("/dev/video0", "v4l2", "/dev/video0", {}),
        (
            "/dev/video0?size=1280x720&fps=30",
            "v4l2",
            "/dev/video0",
            {"size": "1280x720", "fps": "30"},
        ),
        ("/dev/v4l/by-id/usb-cam", "v4l2", "/dev/v4l/by-id/usb-cam", {}),
        ("v4l2:", "v4l2", "", {}),
        ("picamera2:1?hflip", "picamera2", "1", {"hflip": "1"}),
        ("rtsp://h:554/a?b=c&d=e", "rtsp", "rtsp://h:554/a?b=c&d=e", {}),
        ("http://h/a?b=c#stall=2&wait=9", "http", "http://h/a?b=c", {"stall": "2", "wait": "9"}),
        ("HTTPS://h/a", "https", "HTTPS://h/a", {}),
        ("ros:/camera/image_raw", "ros", "/camera/image_raw", {}),
        ("sim:scene.xml?camera=front", "sim", "scene.xml", {"camera": "front"}),
        ("synthetic:?a=b%26c&d=e+f", "synthetic", "", {"a": "b&c", "d": "e+f"}),
    ],
)
def test_a_source_is_taken_apart(text: str, kind: str, address: str, options) -> None:
    assert parse_source(text) == Source(kind, address, options)


def test_a_path_is_taken_as_it_is_if_it_exists(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    image = np.full((8, 8, 3), 90, np.uint8)
    for name in ("what?.png", "a#b.png", "v4l2:x.png", "plain.png"):
        cv2.imwrite(name, image)
        assert parse_source(name) == Source("picture", name, {})
    assert parse_source("what?.png?fps=1") == Source("picture", "what?.png", {"fps": "1"})
    assert parse_source("plain.png?fps=1") == Source("picture", "plain.png", {"fps": "1"})
    Path("7").mkdir()
    assert parse_source("7").kind == "v4l2"
    assert parse_source("./7").kind == "folder"


@pytest.mark.parametrize("text", ["", " ", "no/such", "\0", "x" * 5000, "~nobody-here/x", "?a=b"])
def test_what_names_nothing_is_an_error(text: str) -> None:
    with pytest.raises(CameraError, match="no file or folder"):
        open_camera(text)


def test_a_misspelt_kind_gets_the_nearest() -> None:
    with pytest.raises(PluginError, match="did you mean synthetic"):
        open_camera("syntetic:")


# --- options ---


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("synthetic:?siez=64x64", "did you mean size"),
        ("synthetic:?stal=3", "did you mean stall"),
        ("synthetic:?xyzzy=1", "leave it out"),
        ("synthetic:?size=64", "size"),
        ("synthetic:?size=0x0", "1 to 16384"),
        ("synthetic:?size=axb", "size"),
        ("synthetic:?size=32x32", "at least 64x64"),
        ("synthetic:?fps=0", "greater than 0"),
        ("synthetic:?fps=fast", "valid number"),
        ("synthetic:?pace=slow", "'real' or 'fast'"),
        ("synthetic:?queue=0", "greater than or equal to 1"),
        ("synthetic:?seq=5", "'seq'"),
        ("synthetic:?clock=5", "'clock'"),
    ],
)
def test_a_wrong_option_is_an_error_in_one_line(source: str, says: str) -> None:
    with pytest.raises(CameraError, match=says) as caught:
        open_camera(source)
    assert "\n" not in str(caught.value)


def test_options_can_be_given_as_arguments_and_go_before_those_of_the_source() -> None:
    with open_camera("synthetic:?size=64x64&pace=fast", size=(80, 64), frames=2) as camera:
        assert [frame.image.shape for frame in camera] == [(64, 80, 3)] * 2
    with pytest.raises(CameraError, match="did you mean frames"):
        open_camera("synthetic:", frame=2)


def test_every_kind_is_listed_with_its_options() -> None:
    kinds = {kind.name: kind for kind in camera_kinds()}
    assert {
        *("folder", "picture", "video", "v4l2", "picamera2", "rtsp", "rtsps", "http", "https"),
        *("sim", "ros", "synthetic"),
    } <= set(kinds)
    for kind in kinds.values():
        assert kind.usage and kind.text.endswith(".") and "\n" not in kind.text, kind.name
        for option in kind.options:
            assert option.text, f"{kind.name}: {option.name} does not say what it does"
    size = next(option for option in kinds["synthetic"].options if option.name == "size")
    assert (size.shown_default(), size.text) == ("640x480", "width x height")
    assert [option.name for option in live_options()] == ["queue", "stall", "wait", "give_up"]
    assert all(option.text for option in live_options())
    assert kinds["rtsp"].live and not kinds["video"].live
    assert [option.name for option in kinds["rtsp"].options] == ["threads"]
    assert kinds["synthetic"].missing is None


@pytest.mark.parametrize(
    ("library", "source", "remedy"),
    [
        ("rclpy", "ros:/image", r"pip install 'reflexarc\[ros\]'"),
        ("mujoco", "sim:", r"pip install 'reflexarc\[sim\]'"),
        ("picamera2", "picamera2:", "apt install python3-picamera2"),
    ],
)
def test_a_library_that_is_not_installed_is_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, library: str, source: str, remedy: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(CameraError, match=remedy):
        open_camera(source)


def test_an_ending_that_is_the_name_of_a_plug_in_is_for_it(tmp_path: Path, stranger: Path) -> None:
    path = tmp_path / "sensor.thermal"
    path.write_text("")
    assert parse_source(str(path)).kind == "thermal"


def test_an_entry_point_that_is_no_camera_is_said(stranger: Path) -> None:
    (stranger / "thermal.py").write_text("def Thermal(address): ...")
    with pytest.raises(PluginError, match="to be a class, a Device or a FileCamera"):
        open_camera("thermal:")


# --- the synthetic camera ---


@pytest.mark.parametrize("size", [(64, 64), (160, 120), (320, 240), (641, 479), (1280, 720)])
def test_the_counter_is_read_back_after_jpeg_and_at_half_the_size(size: tuple[int, int]) -> None:
    device = Synthetic(size=size, pace="fast")
    rng = np.random.default_rng(0)
    for number in (0, 1, 255, 65_536, (1 << 24) - 1, *rng.integers(0, 1 << 24, 20)):
        shot = device.read()
        assert shot is not None
        image = draw_counter(shot.image, int(number))
        _, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
        decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1]
        half = cv2.resize(image, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        both = cv2.resize(decoded, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_LINEAR)
        assert [read_counter(i) for i in (image, decoded, half, both)] == [number] * 4


def test_a_picture_without_a_counter_has_none() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 120, 160, 3), np.uint8)
    assert sum(read_counter(image) is not None for image in noise) <= 5  # 1 in 256 by chance
    assert read_counter(np.zeros((4, 4, 3), np.uint8)) is None


def test_the_scene_moves_and_is_the_same_each_time() -> None:
    first, again = (Synthetic(size=(160, 120), pace="fast") for _ in range(2))
    a, b = first.read(), first.read()
    assert a is not None and b is not None
    assert (a.image[20:] != b.image[20:]).any()
    same = again.read()
    assert same is not None and np.array_equal(same.image, a.image)


# --- a camera of another package ---

PAGE = Path(__file__).parents[3] / "docs" / "perception.md"


def example() -> str:
    """The camera that docs/perception.md shows."""
    (block,) = re.findall(r"```python\n(# thermal\.py\n.*?)```", PAGE.read_text("utf-8"), re.S)
    return str(block)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package as pip would leave it."""
    assert example().count("\n") < 60
    (tmp_path / "thermal.py").write_text(example())
    info = tmp_path / "thermal-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thermal\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[reflexarc.cameras]\nthermal = thermal:Thermal\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("thermal", None)


def test_a_strangers_camera_is_opened_by_its_scheme(stranger: Path) -> None:
    sensor = stranger / "sensor.csv"
    hand = np.full((24, 32), 20.0)
    hand[8:16, 8:24] = 36.0
    good = ",".join(f"{value:.1f}" for value in hand.flat)
    sensor.write_text(f"{good}\n1,2,3\n{good}\n")

    with open_camera(f"thermal:{sensor}?size=64x48&coldest=10", queue=3) as camera:
        frames = list(islice(camera, 2))
        assert camera.statistics().bad == 1
    assert [frame.seq for frame in frames] == [0, 2]
    assert frames[0].image.shape == (48, 64, 3)
    warm, cold = frames[0].image[24, 32].astype(int), frames[0].image[2, 2].astype(int)
    assert warm.sum() > cold.sum() + 200 and warm[0] > warm[2]

    with pytest.raises(CameraError, match="start its driver"):
        open_camera(f"thermal:{stranger}/none.csv")
    with pytest.raises(CameraError, match="did you mean hottest"):
        open_camera(f"thermal:{sensor}?hotest=50")
    kind = next(kind for kind in camera_kinds() if kind.name == "thermal")
    assert kind.text == "Thermal sensor as false colours."
    assert [option.name for option in kind.options] == ["size", "coldest", "hottest"]


def test_a_strangers_camera_that_does_not_load_does_not_spoil_the_list(
    stranger: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (stranger / "thermal.py").write_text("import no_such_library")
    kind = next(kind for kind in camera_kinds() if kind.name == "thermal")
    assert "no_such_library" in kind.text
    assert "pip install" in (kind.missing or "")
    assert os.linesep.join(capfd.readouterr()).strip() == ""
