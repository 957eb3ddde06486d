"""The ear of a running robot: a socket, and everything that can come in through it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import run_program

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.control import (
    ControlClient,
    ControlError,
    ControlServer,
    folder,
    path_of,
    running,
)
from reflexarc.robot.gate import GateState
from reflexarc.robot.living import Living, living
from reflexarc.robot.planners.opening import open_planner
from reflexarc.robot.session import Reply


def echo(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if request.get("say") == "bad":
        raise ReflexarcError(expected="good", found="bad", remedy="be good")
    yield {"reply": request}
    yield {"done": True}


@pytest.fixture
def server() -> Iterator[ControlServer]:
    with ControlServer("rover", echo) as listening:
        yield listening


def raw(data: bytes, *, half_close: bool = True) -> list[Any]:
    """What comes back for bytes that need not make sense."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(path_of("rover")))
        line.sendall(data)
        if half_close:
            line.shutdown(socket.SHUT_WR)
        with line.makefile("rb") as answers:
            return [json.loads(answer) for answer in answers]


def test_a_request_and_its_answers(server: ControlServer) -> None:
    client = ControlClient(path_of("rover"))
    for text in ("turn left", "向左转", "😀"):
        assert list(client.ask(say=text)) == [{"reply": {"say": text}}, {"done": True}]
    client.close()


@pytest.mark.parametrize(
    "line",
    [b"hello\n", b"[1]\n", b"\n", b"{\n", b"\xff\xfe\x00\n", b"[" * 50_000 + b"\n", b"7\n"],
)
def test_a_line_that_is_no_request_is_answered_and_the_next_one_served(
    server: ControlServer, line: bytes
) -> None:
    answers = raw(line + b'{"say": "hi"}\n')
    assert answers[0]["error"].startswith("expected one line of JSON; found ")
    assert answers[1:] == [{"reply": {"say": "hi"}}, {"done": True}]


def test_a_line_without_end_does_not_fill_the_memory(server: ControlServer) -> None:
    answers = raw(b"x" * 1_000_000)
    assert len(answers) >= 15
    assert all("error" in answer for answer in answers)


def test_an_error_of_the_robot_reaches_the_caller(server: ControlServer) -> None:
    client = ControlClient(path_of("rover"))
    with pytest.raises(ControlError, match="expected good; found bad; be good"):
        list(client.ask(say="bad"))
    assert list(client.ask(say="again"))  # and the line is still up
    client.close()


def test_callers_that_vanish_leave_the_others_alone(server: ControlServer) -> None:
    for _ in range(20):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(path_of("rover")))
        line.sendall(b'{"say": "hi"}\n')
        line.close()
    client = ControlClient(path_of("rover"))
    assert list(client.ask(say="still there"))
    client.close()


def test_only_the_user_may_talk_to_it(server: ControlServer) -> None:
    assert path_of("rover").stat().st_mode & 0o777 == 0o600
    assert folder().stat().st_mode & 0o777 == 0o700


def test_two_robots_of_one_name_is_one_too_many(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="no other robot called 'rover'"):
        ControlServer("rover", echo)
    with ControlServer("other", echo):
        assert [path.stem for path in running()] == ["other", "rover"]
    assert [path.stem for path in running()] == ["rover"]


def test_what_a_killed_robot_leaves_behind_is_cleared_away() -> None:
    program = (
        "import signal\nfrom reflexarc.robot.control import ControlServer\n"
        "ControlServer('rover', lambda request: iter(()))\nprint(flush=True)\nsignal.pause()"
    )
    with run_program([sys.executable, "-c", program], stdout=subprocess.PIPE) as robot:
        assert robot.stdout is not None
        robot.stdout.readline()
        assert running() == [path_of("rover")]
        robot.kill()
    assert path_of("rover").exists()
    with pytest.raises(ControlError, match="a running robot at rover.sock; found Connection ref"):
        ControlClient(path_of("rover"))
    with ControlServer("rover", echo):
        assert running() == [path_of("rover")]


def test_one_that_hangs_is_waited_for_so_long_only(server: ControlServer) -> None:
    hangs = threading.Event()

    def wait(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        hangs.wait(20)
        yield {"done": True}

    with ControlServer("sleepy", wait):
        client = ControlClient(path_of("sleepy"), timeout_s=0.05)
        with pytest.raises(ControlError, match="timed out"):
            list(client.ask(stop="now"))
        client.close()
        hangs.set()


@pytest.mark.parametrize("name", ["x" * 500, "../../etc", "机器人" * 40, "", "a b/c"])
def test_any_name_makes_a_socket_of_its_own_in_the_folder(name: str) -> None:
    with ControlServer(name, echo):
        assert path_of(name).parent == folder()
        with contextlib.closing(ControlClient(path_of(name))) as client:
            assert list(client.ask(say="hi"))


@pytest.mark.parametrize("trouble", ["a file", "open to others", "too long"])
def test_a_folder_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "a file":
        (tmp_path / "run").touch()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    elif trouble == "open to others":
        folder().chmod(0o755)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 110)))
    with pytest.raises(ControlError, match="set XDG_RUNTIME_DIR to a folder of yours"):
        ControlServer("rover", echo)


# ---- a whole robot, real board, real planner


@pytest.fixture
def alive(board: Board, tmp_path: Path) -> Iterator[Living]:
    with living(RobotConfig(), board, open_planner("parser"), speak=False) as robot:
        yield robot


def wait_until(emulator: EmulatedBoard, what: Callable[[], bool], seconds: float = 5) -> None:
    end = emulator.status().seconds + seconds
    while not what():
        assert emulator.status().seconds < end, "it did not happen"
        emulator.wait(0.005)


TALK = """
import sys
from reflexarc.robot.control import ControlClient, running
(path,) = running()
for answer in ControlClient(path).ask(**eval(sys.argv[1])):
    print(answer, flush=True)
"""


def elsewhere(**request: Any) -> subprocess.Popen[str]:
    """Another program asks."""
    command = [sys.executable, "-c", TALK, repr(request)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_another_program_gives_orders_stops_and_arms(
    emulator: EmulatedBoard, alive: Living
) -> None:
    with elsewhere(say="turn left") as other:
        out, _ = other.communicate(timeout=60)
    answers = [eval(line) for line in out.splitlines()]
    assert answers[0]["reply"] == {"kind": "doing", "text": "Turn left 90°.", "status": "ok"}
    assert [a["event"]["event"] for a in answers[1:-1]] == ["started", "finished"]
    assert answers[-1] == {"done": True}
    left, right = emulator.status().encoder
    assert right - left == pytest.approx(2 * 0.0589 * 2 * 7051.8, rel=0.05)

    with elsewhere(say="drive forward 2 metres") as driving:
        wait_until(emulator, lambda: emulator.status().speed[0] > 1000, 20)
        with elsewhere(stop="emergency stop") as other:
            assert other.communicate(timeout=60)[0] == "{'done': True}\n"
        assert emulator.wait(0.05).duty == (0, 0)
        out, _ = driving.communicate(timeout=60)
    assert "'failed'" in out
    assert alive.robot.gate.reason == "emergency stop"

    assert alive.hear("nod").kind == "doing"
    assert "not armed" in alive.robot.gate.decisions[-1].reason or not alive.robot.gate.moving
    with elsewhere(arm=True) as other:
        other.communicate(timeout=60)
    assert alive.robot.gate.state is GateState.ARMED


def test_a_caller_that_is_killed_leaves_the_robot_at_its_order(
    emulator: EmulatedBoard, alive: Living
) -> None:
    with elsewhere(say="drive forward 1 metre") as other:
        wait_until(emulator, lambda: emulator.status().speed[0] > 1000, 20)
        other.send_signal(signal.SIGKILL)
    assert alive.robot.controller.has_order
    assert next(alive.answer({"say": "stop"}))["reply"]["text"] == "Stopped."
    assert emulator.wait(0.05).duty == (0, 0)
    wait_until(emulator, lambda: alive._listeners == [])


def test_stop_is_heard_while_another_caller_waits(emulator: EmulatedBoard, alive: Living) -> None:
    told: list[Any] = []
    talk = threading.Thread(target=lambda: told.extend(alive.converse("go forward 2 metres")))
    talk.start()
    wait_until(emulator, lambda: emulator.status().speed[0] > 500)
    assert alive.hear("stop").text == "Stopped."
    talk.join(10)
    assert isinstance(told[0], Reply)
    assert [event.kind for event in told[1:]][-2:] == ["failed", "stopped"]
    assert emulator.wait(0.05).duty == (0, 0)


def test_a_request_that_it_does_not_know(alive: Living) -> None:
    client = ControlClient(path_of("rover"))
    for request in ({"dance": True}, {}):
        with pytest.raises(ControlError, match="a request with say, stop or arm"):
            list(client.ask(**request))
    client.close()


def test_the_end_of_the_robot_ends_its_talks(board: Board, emulator: EmulatedBoard) -> None:
    with living(RobotConfig(), board, open_planner("parser"), speak=False) as robot:
        client = ControlClient(path_of("rover"))
        answers = client.ask(say="wait 60 seconds")
        assert next(answers)["reply"]["kind"] == "doing"
    rest = list(answers)
    assert [a["event"]["event"] for a in rest if "event" in a][-1] == "failed"
    client.close()
    assert running() == []
    assert robot.robot.gate.state is GateState.DISARMED
    names = [thread.name for thread in threading.enumerate()]
    end = time.monotonic() + 10
    while "control" in names and time.monotonic() < end:
        names = [thread.name for thread in threading.enumerate()]
    assert "control" not in names


def test_the_log_has_it_all(board: Board, home: Path) -> None:
    from reflexarc.robot import audit

    with living(RobotConfig(), board, open_planner("parser"), speak=False) as robot:
        list(robot.converse("make the light red"))
    entries = list(audit.read(audit.path_of(RobotConfig())))
    assert home in audit.path_of(RobotConfig()).parents
    assert [e.kind for e in entries] == ["arm", "plan", "light", "started", "finished", "disarm"]
    assert entries[1].data["said"] == "make the light red"
    assert os.environ["XDG_STATE_HOME"] == str(home)
