"""ROS topics as cameras, with a real publisher in another process."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from programs import run_program

from reflexarc.perception.cameras import CameraError, open_camera
from reflexarc.perception.cameras.synthetic import read_counter

if importlib.util.find_spec("rclpy") is None:
    pytest.skip("ROS 2's rclpy is not installed (reflexarc[ros])", allow_module_level=True)

PUBLISHER = Path(__file__).parents[2] / "support" / "ros_publisher.py"

ENCODINGS = ("rgb8", "bgr8", "rgba8", "mono8", "jpeg", "short")


def topic_of(encoding: str) -> str:
    return f"/camera/{encoding}" + ("/compressed" if encoding == "jpeg" else "")


@pytest.fixture(scope="module", autouse=True)
def domain() -> Iterator[None]:
    """A domain of our own on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_DOMAIN_ID", str(random.randrange(1, 100)))
        patch.setenv("AMENT_PREFIX_PATH", os.environ.get("AMENT_PREFIX_PATH", sys.prefix))
        yield


@pytest.fixture(scope="module")
def publisher(domain: None) -> Iterator[subprocess.Popen[str]]:
    words = [f"{topic_of(encoding)}={encoding}" for encoding in ENCODINGS]
    with run_program(
        [sys.executable, str(PUBLISHER), *words], stdin=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.communicate("", timeout=20)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "mono8", "jpeg"])
def test_pictures_come_whole_in_rgb_and_stamped_by_their_publisher(
    publisher: subprocess.Popen[str], encoding: str
) -> None:
    before_ns = time.monotonic_ns()
    with open_camera(f"ros:{topic_of(encoding)}", queue=4, stall=20) as camera:
        frames = list(islice(camera, 4))
        now_ns = time.monotonic_ns()
    numbers = [read_counter(frame.image) for frame in frames]
    assert all(a < b for a, b in pairwise(numbers))
    assert frames[0].image.shape == (120, 160, 3)
    assert all(frame.image.flags.c_contiguous for frame in frames)
    red, green, blue = frames[0].image[60, 8].astype(int)
    assert red == green == blue if encoding == "mono8" else red > blue + 30
    stamps = [frame.stamp_ns for frame in frames]
    assert before_ns < stamps[0] and stamps[-1] < now_ns
    assert np.diff(stamps).min() > 5e6


def test_bad_messages_are_left_out(publisher: subprocess.Popen[str]) -> None:
    with open_camera("ros:/camera/short", queue=3, stall=20) as camera:
        frames = list(islice(camera, 3))
        assert camera.statistics().bad >= 1
    assert all((read_counter(frame.image) or 0) % 2 == 0 for frame in frames)


def test_a_topic_that_falls_silent_is_an_outage_until_it_speaks_again(
    publisher: subprocess.Popen[str],
) -> None:
    assert publisher.stdin is not None
    with open_camera("ros:/camera/rgb8", stall=1.0) as camera:
        frames = iter(camera)
        next(frames)
        publisher.stdin.write("stop\n")
        publisher.stdin.flush()
        before = camera.statistics()  # slow machines may have stalled while they met
        while camera.statistics().health != "stalled":
            time.sleep(0.02)
        publisher.stdin.write("go\n")
        publisher.stdin.flush()
        while camera.statistics().recoveries <= before.recoveries:
            time.sleep(0.02)
        assert next(frames).image.shape == (120, 160, 3)


def test_a_topic_of_which_nothing_comes_can_be_closed() -> None:
    with open_camera("ros:/camera/nobody") as camera:
        assert camera.statistics().health == "opening"


@pytest.mark.parametrize("name", ["", "/two words", "/a//b"])
def test_what_is_no_topic_is_an_error(name: str) -> None:
    with pytest.raises(CameraError, match="a ROS topic, as in"):
        open_camera(f"ros:{name}")
