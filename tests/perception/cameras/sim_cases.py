"""The simulated camera: what MuJoCo really renders."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from sim_clock import SimClock

from reflexarc.perception.cameras import CameraError, open_camera
from reflexarc.perception.cameras.synthetic import Synthetic, draw_counter, read_counter

if importlib.util.find_spec("mujoco") is None:
    pytest.skip("MuJoCo is not installed (reflexarc[sim])", allow_module_level=True)

SCENE = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <light pos="0 0 5" dir="0 0 -1"/>
    <geom type="plane" size="5 5 .1" rgba=".2 .2 .2 1"/>
    <body pos="2 0 3"><freejoint/><geom type="sphere" size=".3" rgba="1 0 0 1"/></body>
    <camera name="front" pos="0 0 1" xyaxes="0 -1 0 0 0 1"/>
    <camera name="above" pos="2 0 6"/>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module", autouse=True)
def can_render() -> None:
    try:
        with open_camera("sim:?pace=fast&frames=1&size=16x16") as camera:
            list(camera)
    except CameraError as error:
        if "render" not in error.expected:
            raise
        pytest.skip(f"nothing to render with: {error.found}")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.xml"
    path.write_text(SCENE)
    return path


@pytest.mark.parametrize("size", [(480, 360), (300, 400)], ids=["landscape", "portrait"])
def test_the_board_shows_a_picture_upright_in_its_colours_and_shape(tmp_path: Path, size) -> None:
    shot = Synthetic(size=size, pace="fast").read()
    assert shot is not None
    picture = draw_counter(shot.image, 123_456)
    cv2.imwrite(str(tmp_path / "photo.png"), picture[..., ::-1])
    source = f"sim:?pace=fast&frames=1&size=640x480&show={tmp_path}/photo.png"
    with open_camera(source) as camera:
        (frame,) = camera

    # The board's front is 1.01 m away and 0.8 m high; 480 rows see 53 degrees.
    high = 480 * 0.8 / (2 * 1.01 * np.tan(np.radians(53 / 2)))
    wide = high * size[0] / size[1]
    top, left = round(240 - high / 2), round(320 - wide / 2)
    board = frame.image[top : top + round(high), left : left + round(wide)]
    seen = cv2.resize(board, size)
    assert read_counter(seen) == 123_456
    inner = np.s_[size[1] // 4 : -10, 10:-10]
    for channel in range(3):
        match = np.corrcoef(seen[inner][..., channel].flat, picture[inner][..., channel].flat)
        assert match[0, 1] > 0.9


def test_any_scene_and_any_of_its_cameras_can_be_seen(scene: Path) -> None:
    def red(source: str) -> int:
        with open_camera(source) as camera:
            last = list(camera)[-1]
        assert last.image.shape == (120, 160, 3) and last.image.flags.c_contiguous
        r, g, b = (last.image[..., channel].astype(int) for channel in range(3))
        return int(((r > 60) & (r > g + 40) & (r > b + 40)).sum())

    options = "size=160x120&fps=10&pace=fast&frames"
    assert red(f"sim:{scene}?camera=front&{options}=1") == 0  # the ball is still above
    assert red(f"sim:{scene}?camera=front&{options}=8") > 50  # it has fallen into view
    assert red(f"sim:{scene}?camera=above&{options}=1") > 50
    assert red(f"sim:{scene}?{options}=8") > 50  # the first camera


def test_at_real_pace_frames_come_at_their_time() -> None:
    clock = SimClock()
    with open_camera("sim:?size=32x32&fps=10&frames=5", clock=clock, queue=5) as camera:
        frames = list(camera)
        assert camera.live
    assert np.allclose(np.diff([frame.stamp_ns for frame in frames]), 1e8)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("sim:{d}/none.xml", "a MuJoCo scene"),
        ("sim:{d}/broken.xml", "a MuJoCo scene"),
        ("sim:{d}/scene.xml?camera=frnt", "front, above; found frnt"),
        ("sim:{d}/blind.xml", "it has none"),
        ("sim:?show={d}/none.png", "none.png"),
        ("sim:?camera=back", "front; found back"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(scene: Path, source: str, says: str) -> None:
    (scene.parent / "broken.xml").write_text("<mujoco><worldbody>")
    (scene.parent / "blind.xml").write_text("<mujoco/>")
    with pytest.raises(CameraError, match=says) as caught:
        open_camera(source.format(d=scene.parent))
    assert "\n" not in str(caught.value)
