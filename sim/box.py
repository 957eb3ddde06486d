"""The robot in a box: its body, its chip with the real firmware, and its surroundings.

Outside there is a serial port, a camera, a control socket and a flight log; whatever drives
the robot finds nothing else than it would find on a real one. See `reflexarc.sim.__main__`.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import mujoco

from reflexarc.firmware_bridge.emulator import EmulatedBoard, EmulatorError
from reflexarc.sim.attendant import Attendant
from reflexarc.sim.battery import Battery
from reflexarc.sim.control import BoxError, ControlServer
from reflexarc.sim.description import rover
from reflexarc.sim.flight import STATE_S, FlightLog
from reflexarc.sim.frames import FrameWriter
from reflexarc.sim.measures import measures_of
from reflexarc.sim.mjcf import CAMERA, TIMESTEP_S
from reflexarc.sim.pictures import PictureFolder
from reflexarc.sim.plant import Plant
from reflexarc.sim.recorder import Recorder
from reflexarc.sim.render import Eye
from reflexarc.sim.scenario import Do, Scenario
from reflexarc.sim.world import World

_STATE_STEPS = round(STATE_S / TIMESTEP_S)
_COAST_S = 1.0
"""How long the body is watched after its chip has died."""


class Box:
    """A running simulation; a context manager. One thread makes, runs and closes it.

    Args:
        scenario: what stands around the robot, and what happens.
        folder: for the port, the camera's memory, the socket and the flight log.
        pictures: folder of what boards show.
        pace: simulated seconds per second; 0: as fast as it goes.
        camera_fps: pictures per simulated second; 0: no camera. The scenario's own if None.
        seconds: of simulated time until it ends; 0: never. If None, the scenario's own, from
            its beginning.
        waits: the scenario's clock stands until `begin` is asked for.
        scenario_name: by which it can be loaded again, for the log.
        on_step: told of every step, from the thread that runs it.

    Attributes:
        camera: source for `open_camera`; "" without a camera.
        flight: path of the flight log.

    Raises:
        ReflexarcError: a picture is missing, the folder cannot be used, there is nothing to
            render with, or the chip does not start.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        *,
        pictures: Path | None = None,
        pace: float = 1.0,
        camera_fps: float | None = None,
        seconds: float | None = None,
        waits: bool = False,
        scenario_name: str = "",
        on_step: Callable[[Plant], None] = lambda plant: None,
    ) -> None:
        self.scenario = scenario
        self.folder = folder.expanduser().resolve()
        self._seconds = seconds
        self._on_step = on_step
        self._fps = scenario.view.fps if camera_fps is None else camera_fps
        self.pace = pace
        self._ending = ""
        self.views = 0
        self._parts: list[Any] = []
        self._parent = os.getppid()
        try:
            self._lock = self._own(_alone_in(self.folder))
            self._log = self._own(FlightLog(self.folder / "flight.jsonl"))
            self.flight = str(self._log.path)
            # What can be wrong is found before the chip is started.
            self.world = World(
                scenario, PictureFolder(pictures), report=self._log.write, act=self._act
            )
            if waits:
                self.world.hold()
            measures = measures_of(scenario)
            self._log.write(
                "start",
                0.0,
                scenario=scenario.model_dump(mode="json"),
                name=scenario_name or scenario.name,
                pictures=None if pictures is None else str(pictures.resolve()),
                pace=pace,
                fps=self._fps,
                version=1,
                mono_ns=time.monotonic_ns(),
            )
            self.board = self._own(EmulatedBoard(speed=pace, link_path=self.folder / "tty"))
            battery = Battery()
            battery.set_rest_v(scenario.battery_v)
            self.plant = Plant(
                self.board,
                rover(measures),
                surroundings=self.world,
                battery=battery,
                start=(*scenario.start.at, math.radians(scenario.start.yaw_deg)),
            )
            self._recorder = Recorder(self.plant, self._log)
            self.camera = ""
            if self._fps > 0:
                self._eye = self._own(Eye(self.plant.model, scenario.view.size))
                self._camera_id = int(self.plant.model.camera(CAMERA).id)
                path = self.folder / "camera"
                self._frames = self._own(FrameWriter(path, scenario.view.size))
                self.camera = f"box:{path}"
            self.control = self._own(ControlServer(self.folder / "control"))
            self._attendant = Attendant(self)
            self._log.flush()
        except BaseException:
            self.close()
            raise

    def _own(self, part: Any) -> Any:
        self._parts.append(part)
        return part

    @property
    def ready_line(self) -> dict[str, Any]:
        """What others need to know."""
        return {
            "port": self.board.port,
            "camera": self.camera,
            "control": str(self.control.path),
            "flight": self.flight,
            "scenario": self.scenario.name,
            "missing": self.world.missing,
            "pid": os.getpid(),
            "emulator_pid": self.board.pid,
        }

    def end(self, reason: str) -> None:
        """Make `run` end soon; also from a signal handler."""
        self._ending = self._ending or reason

    def run(self) -> str:
        """Let time pass until it ends; gives why.

        Raises:
            ReflexarcError: the chip or the physics has failed; or the disk is full.
        """
        self._recorder.note()
        if self._fps > 0:
            self._look()
        while not self._ended():
            self._attendant.serve()
            try:
                self.plant.step()
                if self.plant.steps % _STATE_STEPS == 0:
                    self._recorder.note()
            except EmulatorError:
                if self._ending:
                    break  # Ctrl-C goes to the chip's process, too
                self._coast()
                raise
            self._on_step(self.plant)
            if self._fps > 0 and self.plant.time_s >= self.views / self._fps - 1e-9:
                self._look()
        self._log.write("end", self.plant.time_s, reason=self._ending)
        return self._ending

    def _ended(self) -> bool:
        t, began = self.plant.time_s, self.world.began_at
        until = self._seconds
        if until is None:
            until = self.scenario.seconds + (math.inf if began is None else began)
        if until and t >= until - 1e-9:
            self.end("its time is over")
        if self.plant.steps % _STATE_STEPS == 0 and os.getppid() != self._parent:
            self.end("whoever started it has ended")
        return bool(self._ending)

    def _look(self) -> None:
        """Take the camera's picture. The chip's time stands meanwhile, a millisecond or two."""
        t, stamp_ns = self.plant.time_s, time.monotonic_ns()
        image = self._eye.see(self.plant.data, self._camera_id, self.world.versions)
        seq = self._frames.write(image, stamp_ns, round(t * 1e9))
        self._log.write("view", t, seq=seq, mono_ns=stamp_ns)
        self.views += 1

    def _coast(self) -> None:
        """The chip is dead, its pins float: watch the body roll to a stop."""
        plant = self.plant
        self._log.write("event", plant.time_s, do={"chip_gone": True})
        for motor in (0, 1):  # the motor driver's inputs are pulled down
            self._log.write("motor", plant.time_s, wall_ns=time.monotonic_ns(), motor=motor, duty=0)
        plant.data.ctrl[:2] = 0
        for _ in range(round(_COAST_S / TIMESTEP_S)):
            mujoco.mj_step(plant.model, plant.data)
            plant.steps += 1
            if plant.steps % _STATE_STEPS == 0:
                self._recorder.state((0, 0), time.monotonic_ns())
        self._log.write("end", plant.time_s, reason="the chip has died")

    def _act(self, do: Do) -> None:
        plant, board = self.plant, self.board
        if do.unplug:
            board.unplug()
        if do.replug:
            board.replug()
        if do.reset:
            board.reset()
        if do.battery_v is not None:
            plant.set_battery(do.battery_v)
        if do.bump is not None:
            plant.hold_bump(do.bump)
        if do.emergency_stop is not None:
            board.open_emergency_stop(do.emergency_stop)
        for side, jammed in ((do.jam, True), (do.free, False)):
            if side is not None:
                plant.jam(("left", "right").index(side), jammed)

    def close(self) -> None:
        """End the chip, remove port, socket and camera; the flight log stays."""
        while self._parts:
            self._parts.pop().close()

    def __enter__(self) -> Box:
        """Itself, ready to `run`."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()


def _alone_in(folder: Path) -> IO[str]:
    """A lock on the folder, which the kernel gives back whatever happens.

    Raises:
        BoxError: it cannot be written, or another simulation runs there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise BoxError(
            expected=f"a folder to write to at {folder}",
            found=error.strerror or str(error),
            remedy="name another one with --folder",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise BoxError(
            expected=f"no other simulation in {folder}",
            found="one that runs",
            remedy="end it, or name another folder with --folder",
        ) from error
    return lock
