"""A robot without ROS, in a process of its own, that talks in lines: see `lines`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading
from dataclasses import asdict
from pathlib import Path

import cv2

from reflexarc.cli.box.lines import STATE_S, say, told
from reflexarc.cli.robots import camera_of, planner_of
from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.overlay import draw
from reflexarc.robot.config import load_config
from reflexarc.robot.events import Event
from reflexarc.robot.living import Living, living, watching

_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)


def main() -> int:
    """Live until told to end: 0; until it fails: 2."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--camera", required=True)
    parser.add_argument("--port", required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of rules and log")
    parser.add_argument("--pictures", type=Path, help="folder for what it sees, drawn in")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        _live(options, ended)
    except ReflexarcError as error:
        say("failed", str(error))
        return 2
    return 0


def _live(options: argparse.Namespace, ended: threading.Event) -> None:
    config = load_config(options.config)
    album = None if options.pictures is None else Album(options.pictures)

    def observed(frame: Frame, observation: Observation) -> None:
        say("observation", observation.as_dict(), size=frame.image.shape[1::-1])
        if album is not None:
            album.add(frame, observation)

    def happened(event: Event) -> None:
        stations = None if event.stations is None else asdict(event.stations)
        say("event", {**event.as_dict(), "stations": stations})

    with (
        camera_of(options.camera, config) as frames,
        Board.connect(options.port, baudrate=config.board.baudrate) as board,
        living(
            config,
            board,
            planner_of(config),
            on_event=happened,
            on_observation=observed,
            state_folder=options.state,
            speak=False,
            listen=False,
        ) as alive,
        watching(alive.robot, frames),
    ):
        threading.Thread(target=_listen, args=(alive, ended), daemon=True).start()
        say("ready", True)
        while not ended.wait(STATE_S):
            alive.robot.check()
            gate = alive.robot.gate
            state = {
                "connection": board.status.value,
                "gate": gate.state.value,
                "gate_reason": gate.reason,
            }
            say("state", state)
        say("statistics", {k: v.seen for k, v in alive.robot.statistics().items()})


def _listen(alive: Living, ended: threading.Event) -> None:
    for request in told():
        try:
            if "order" in request:
                say("reply", alive.hear(str(request["order"])).as_dict())
            elif "e_stop" in request:
                alive.robot.stop(str(request["e_stop"]))
            elif "arm" in request:
                alive.robot.arm()
        except ReflexarcError as error:
            say("failed", str(error))
    ended.set()


class Album:
    """Pictures of what is seen, with the newest word of each task drawn in; ten a second at most.

    Each picture is a file named by its capture time, so memory stays as it is.
    """

    def __init__(self, folder: Path, fps: float = 10.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._every_ns = 0.9e9 / fps
        self._last_ns = 0
        self._newest: dict[str, Observation] = {}

    def add(self, frame: Frame, observation: Observation) -> None:
        """Take an observation of a frame."""
        self._newest[observation.task] = observation
        if frame.stamp_ns - self._last_ns < self._every_ns:
            return
        self._last_ns = frame.stamp_ns
        self.keep(draw(frame.image, self._newest.values()), frame.stamp_ns)

    def keep(self, picture: cv2.typing.MatLike, stamp_ns: int) -> None:
        """Write an RGB picture. A full disk costs the picture, not the run."""
        path = self._folder / f"{stamp_ns}.jpg"
        with contextlib.suppress(cv2.error, OSError):
            cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _JPEG)
            say("picture", str(path), stamp_ns=stamp_ns)


if __name__ == "__main__":
    raise SystemExit(main())
