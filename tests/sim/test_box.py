"""The robot in a box, as a process: what it gives, what it takes, and how it ends.

Only its control socket, its flight log, its port and its camera are used, as others do.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mujoco")

from reflexarc.firmware_bridge import Board, BoardFaultError
from reflexarc.perception.cameras import open_camera
from reflexarc.perception.tasks import open_task
from reflexarc.sim.control import BoxControl, BoxError
from reflexarc.sim.flight_reader import Flight
from reflexarc.sim.pictures import write_digit_cards
from reflexarc.sim.running import RunningBox

START_S = 60.0
EMPTY = "name: empty\nseconds: 600\nrobot: {}\n"
CARD = """
name: card
seconds: 600
boards:
  card: {at: [0.7, 0], yaw_deg: 180, height: 0.26, show: null,
         pictures: [{blank: [0.9, 0.05, 0.05]}, {blank: [0.05, 0.05, 0.9]}]}
"""

Start = Callable[..., RunningBox]


@pytest.fixture
def start(tmp_path: Path, firmware: object) -> Iterator[Start]:
    """Starts a box with a scenario's text or name."""
    with contextlib.ExitStack() as stack:

        def begin(scenario: str, folder: str = "box", **options: Any) -> RunningBox:
            source = scenario
            if "\n" in scenario:
                path = tmp_path / f"{folder}.yaml"
                path.write_text(scenario)
                source = str(path)
            options = {"camera_fps": 0, **options}
            return stack.enter_context(RunningBox(source, tmp_path / folder, **options))

        yield begin


def gone(pid: int) -> bool:
    """Whether a process has ended, within some seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def drive(board: Board, control: BoxControl, speed: int, seconds: float) -> None:
    """Repeat a set point, as a host must, for a simulated time."""
    until = control.status()["t"] + seconds
    while control.status()["t"] < until:
        board.drive(speed, speed)
        time.sleep(0.01)


# ---- what it gives


def test_a_host_drives_the_body_through_port_chip_and_motors(start: Start) -> None:
    box = start(EMPTY)
    with box.control() as control, Board.connect(box.port) as board:
        began = control.status()["t"]
        drive(board, control, 1500, 1.5)
        board.stop()
        control.wait(1.0)
        state = control.status()
        assert state["pose"][0] > 0.1 and abs(state["pose"][1]) < 0.01
        assert control.ask(end=True)["t"] > 0
    assert box.wait(20) == 0
    flight = box.flight()
    assert flight.end["reason"] == "it was asked to"
    assert flight.start["scenario"]["name"] == "empty"
    # 1500 counts/s of a 65 mm wheel with 1440 counts.
    speed = 1500 * np.pi * 0.065 / 1440
    assert np.median(flight.wheel_speed[flight.t > began + 0.7][:20]) == pytest.approx(
        speed, rel=0.1
    )
    first_frame = flight.frames[flight.frames[:, 0] > began][0, 0]
    assert 0 <= flight.first_drive_after(began) - first_frame < 0.1
    stopped = flight.wheels_stopped_at(began + 1.5)
    assert flight.motors_off_at(began + 1.5) <= stopped < began + 2.4
    # States are 20 ms apart without a gap, and so are simulated and wall time beside them.
    assert np.allclose(np.diff(flight.t), 0.02, atol=1e-6)
    assert (np.diff(flight.mono_ns) > 0).all()
    assert (
        np.abs(flight.encoder[-1] - flight.travelled(0, flight.seconds) * 1440 / 0.2042).max() < 40
    )


def test_its_camera_sees_what_boards_show_from_another_process(start: Start) -> None:
    box = start(CARD, camera_fps=20, wait=True)

    def middle(camera: Iterator[Any]) -> list[int]:
        for _ in range(4):  # a frame that was taken before may still wait
            frame = next(camera)
        assert frame.image.shape == (240, 320, 3)
        return [round(v) for v in frame.image[100:130, 150:170].reshape(-1, 3).mean(axis=0)]

    with open_camera(box.camera) as camera, box.control() as control:
        frames = iter(camera)
        blank = middle(frames)
        assert max(blank) - min(blank) < 25
        control.ask(do={"show": {"board": "card", "picture": 0}})
        red = middle(frames)
        assert red[0] > 150 and max(red[1:]) < 80
        control.ask(do={"show": {"board": "card", "picture": 1}})
        blue = middle(frames)
        assert blue[2] > 150 and max(blue[:2]) < 80
        control.ask(place=[0, 0, 90])
        away = middle(frames)
        assert max(away) - min(away) < 60
        control.ask(end=True)
        assert list(frames)[1:] is not None  # it ends with the box
        assert camera.statistics().health in ("ended", "closed")
    assert box.wait(20) == 0


def test_frames_come_at_even_simulated_times(start: Start) -> None:
    box = start(CARD, camera_fps=25, pace="fast", seconds=1.0)
    assert box.wait(60) == 0
    views = box.flight().lines["view"]
    assert [view["seq"] for view in views] == list(range(26))
    assert np.allclose(np.diff([view["t"] for view in views]), 0.04, atol=1e-6)


def test_the_couriers_cards_are_read_where_the_robot_reads_them(
    start: Start, tmp_path: Path, mnist: Any
) -> None:
    write_digit_cards(mnist.test_images, mnist.test_labels, tmp_path / "pictures")
    box = start("courier", camera_fps=20, wait=True, pictures=tmp_path / "pictures")
    course = [
        (0.0, 0.0, 0, "east", 0, "5"),
        (0.5, 0.0, 0, "east", 1, "6"),
        (0.5, 0.0, 90, "north", 0, "4"),
        (0.5, 0.4, 180, "west", 0, "5"),
        (0.0, 0.4, 270, "south", 0, "3"),
        (0.0, 0.1, 270, "south", 1, "0"),
    ]
    task = open_task("digits", smallest_px=24)
    with open_camera(box.camera) as camera, box.control() as control:
        frames = iter(camera)
        for x, y, yaw, board, picture, label in course:
            control.ask(place=[x, y, yaw])
            control.ask(do={"show": {"board": board, "picture": picture}})
            seen = []
            for number in range(8):
                said = task.process(next(frames))
                if number >= 4:  # frames from before, and the task's own patience
                    seen.append([found.label for found in said.detections])
            assert seen == [[label]] * 4, (board, picture)
            control.ask(do={"show": {"board": board, "picture": None}})


# ---- what happens to it


def test_an_event_at_its_time_pulls_the_cable_and_puts_it_back(start: Start) -> None:
    box = start(
        EMPTY + "events: [{at: 0.4, do: {unplug: true}}, {at: 1.0, do: {replug: true}}]\n",
        pace="fast",
        seconds=1.5,
    )
    assert box.wait(60) == 0
    flight = box.flight()
    assert flight.event_at("unplug") == pytest.approx(0.4, abs=0.011)
    plugged = {round(float(t), 2): bool(p) for t, p in zip(flight.t, flight.plugged, strict=True)}
    assert plugged[0.38] and not plugged[0.44] and not plugged[0.98] and plugged[1.04]


def test_what_happens_to_the_body_and_the_board(start: Start) -> None:
    box = start(EMPTY)
    with box.control() as control:
        control.ask(do={"battery_v": 6.5})
        control.ask(do={"bump": True})
        control.wait(0.1)
        state = control.status()
        assert state["battery_v"] == pytest.approx(6.5, abs=0.1) and state["bump"]
        resets = state["resets"]
        control.ask(do={"bump": False})
        control.ask(do={"reset": True})
        control.wait(0.1)
        state = control.status()
        assert not state["bump"] and state["resets"] == resets + 1
        with Board.connect(box.port) as board:
            control.ask(do={"jam": "left"})
            with pytest.raises(BoardFaultError, match="left wheel .* not turning"):
                drive(board, control, 1000, 2.0)
            control.ask(do={"free": "left"})
            board.clear_faults()
            drive(board, control, 1000, 0.6)
            assert control.status()["wheel_speed"][0] > 0.05


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": {"unplugged": True}}, "did you mean unplug"),
        ({"do": {"show": {"board": "card", "picture": 0}}}, "no board card"),
        ({"do": 3}, "expected"),
        ({"place": [1, 2]}, "status, begin, do"),
        ({"place": ["a", 2, 3]}, "status, begin, do"),
        ({"place": [float("nan"), 2, 3]}, "status, begin, do"),
        ({"wait": "long"}, "status, begin, do"),
        ({"wait": float("nan")}, "status, begin, do"),
        ({"hello": 1}, "status, begin, do"),
        ({}, "status, begin, do"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    idle: RunningBox, request_: dict[str, Any], says: str
) -> None:
    with idle.control() as control:
        with pytest.raises(BoxError, match=says):
            control.ask(**request_)
        assert control.status()["t"] >= 0  # it goes on


def test_lines_that_are_no_requests_are_refused(idle: RunningBox) -> None:
    from reflexarc.sim.sockets import connect

    with connect(Path(idle.ready["control"]), 20) as caller, caller.makefile("rwb") as stream:
        for line in (b"hello\n", b"[1]\n", b"\xff\xfe\n", b"\n"):
            stream.write(line)
            stream.flush()
            assert "JSON object" in json.loads(stream.readline())["error"]["expected"]


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory, firmware: object) -> Iterator[RunningBox]:
    folder = tmp_path_factory.mktemp("idle")
    (folder / "empty.yaml").write_text(EMPTY)
    with RunningBox(folder / "empty.yaml", folder / "box", camera_fps=0) as box:
        yield box


def test_a_held_scenario_waits_and_simulated_time_does_not(start: Start) -> None:
    box = start(EMPTY.replace("600", "0.5"), wait=True, pace="fast")
    with box.control() as control:
        assert control.wait(1.0)["t"] >= 1.0
        assert control.status()["scenario_s"] is None
        began = control.ask(begin=True)["t"]
    assert box.wait(60) == 0
    assert box.flight().seconds == pytest.approx(began + 0.5, abs=0.021)


def test_the_same_scenario_runs_the_same_way(start: Start) -> None:
    text = (
        "name: same\nboxes: {crate: {at: [0.4, 0], size: [0.1, 0.3, 0.2],"
        " path: [{t: 0.2, at: [0.4, 0]}, {t: 1.2, at: [0.05, 0.02], yaw_deg: 10}]}}\n"
    )
    flights = []
    for folder in ("one", "two"):
        box = start(text, folder, pace="fast", seconds=1.5)
        assert box.wait(60) == 0
        flights.append(box.flight())
    assert flights[0].pose[-1, 0] < -0.03  # it was pushed
    for name in ("t", "pose", "encoder", "range_m", "bump", "qpos"):
        first, second = (getattr(flight, name) for flight in flights)
        assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f"), name


# ---- how it ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(start: Start, number: signal.Signals) -> None:
    box = start(CARD, camera_fps=10)
    with box.control() as control:
        control.wait(0.2)
    box.process.send_signal(number)
    assert box.wait(20) == 0 and box.errors() == ""
    assert box.flight().end["reason"] == number.name
    assert gone(box.ready["emulator_pid"])
    left = {path.name for path in Path(box.ready["flight"]).parent.iterdir()}
    assert left == {"flight.jsonl", "lock", "errors.txt"}


def test_killed_it_leaves_a_readable_log_and_no_chip(start: Start) -> None:
    box = start(CARD, camera_fps=10)
    with box.control() as control:
        seen = control.wait(0.6)["t"]
    box.process.kill()
    box.process.wait()
    flight = box.flight()
    assert flight.end == {} and flight.seconds >= seen - 0.12
    assert gone(box.ready["emulator_pid"])
    # A new one in the same folder starts where the old one lay.
    again = start(CARD, camera_fps=10)
    with again.control() as control, open_camera(again.camera) as camera:
        assert control.status()["t"] >= 0
        assert next(iter(camera)).image.any()


def test_it_ends_with_whoever_started_it(tmp_path: Path, firmware: object) -> None:
    (tmp_path / "empty.yaml").write_text(EMPTY)
    program = (
        "import subprocess, sys\n"
        "box = subprocess.Popen([sys.executable, '-m', 'reflexarc.sim', *sys.argv[1:]],"
        " stdout=subprocess.PIPE)\n"
        "sys.stdout.buffer.write(box.stdout.readline()); sys.stdout.flush()\n"
        "sys.stdin.readline()\n"
    )
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c", program, str(tmp_path / "empty.yaml")),
            *(f"--folder={tmp_path / 'box'}", "--camera-fps=0"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    ready = json.loads(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    assert gone(ready["pid"]) and gone(ready["emulator_pid"])
    assert Flight.read(ready["flight"]).end["reason"] == "whoever started it has ended"


def test_when_the_chip_dies_the_body_rolls_out_and_that_is_said(start: Start) -> None:
    box = start(EMPTY)
    with box.control() as control, Board.connect(box.port) as board:
        with contextlib.suppress(Exception):
            drive(board, control, 2500, 0.6)
        os.kill(box.ready["emulator_pid"], signal.SIGKILL)
        assert box.wait(30) == 2
    assert "EmulatorError" in box.errors()
    flight = box.flight()
    died = flight.event_at("chip_gone")
    assert np.abs(flight.wheel_speed[flight.t < died][-3:]).min() > 0.1
    assert flight.wheels_stopped_at(died) < died + 0.4


def test_two_boxes_do_not_share_a_folder(start: Start) -> None:
    start(EMPTY)
    with pytest.raises(BoxError, match="no other simulation"):
        start(EMPTY)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["currier"], "cable_pull, courier"),
        (["courier", "--pictures=/nowhere"], "digit 5, digit 6"),
        (["obstacle", "--pace=quick"], "pace"),
        (["obstacle", "--pace=-1"], "above 0"),
        (["obstacle", "--seconds=nan"], "0 or more"),
        (["obstacle", "--camera-fps=-3"], "0 or more"),
        (["obstacle", "--folder=/proc/nothing"], "a folder to write to"),
    ],
)
def test_what_cannot_be_run_is_said_without_a_traceback(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    if not any(argument.startswith("--folder") for argument in arguments):
        arguments = [*arguments, f"--folder={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "reflexarc.sim", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr and "Traceback" not in done.stderr


def test_beside_tensorflow_it_does_not_render(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = sys\n"
        "from reflexarc.sim.__main__ import main\n"
        f"sys.exit(main(['obstacle', '--folder={tmp_path}']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2 and "two processes" in done.stderr
