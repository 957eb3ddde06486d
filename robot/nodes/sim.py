"""The robot in a box as a node: simulated time and the true pose for the graph.

The box itself runs in one thread of this process, and publishes from there: a step is never
kept waiting by another thread's turn. Whoever drives the robot finds its serial port and its
camera in the folder, as with ``python -m reflexarc.sim``.
"""

from __future__ import annotations

import gc
import math
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from pydantic import Field, field_validator
from rosgraph_msgs.msg import Clock

from reflexarc.core import ReflexarcError
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.managed import ManagedNode, run
from reflexarc.robot.nodes.parameters import Parameters
from reflexarc.sim.scenario import Scenario, load_scenario

# Of 2 ms each: 100 and 50 times a simulated second.
_CLOCK_STEPS = 5
_POSE_STEPS = 10
_START_S = 60.0
_END_S = 10.0
WORLD_FRAME = "world"


class SimNodeError(ReflexarcError):
    """A box that does not get ready."""


class SimParameters(Parameters):
    """What the node can be told."""

    scenario: str = Field("courier", description="a packaged scenario's name, or a file")
    folder: str = Field("", description="for port, camera, socket and flight log; empty: a new one")
    pace: str = Field("real", description="real, fast, or simulated seconds per second")
    camera_fps: float = Field(
        -1.0, ge=-1.0, le=1000.0, description="per simulated second; 0: none; -1: the scenario's"
    )
    seconds: float = Field(
        0.0, ge=-1.0, description="simulated time until it ends; 0: never; -1: the scenario's"
    )
    pictures: str = Field("", description="folder with digit_5.png, portrait_1.jpg, …")
    waits: bool = Field(False, description="the scenario begins when the control socket says so")

    @field_validator("pace")
    @classmethod
    def _is_a_pace(cls, text: str) -> str:
        speed_of(text)
        return text


def speed_of(pace: str) -> float:
    """Simulated seconds per second; 0 for as fast as it goes.

    Raises:
        ValueError: it is none.
    """
    if pace in ("real", "fast"):
        return 1.0 if pace == "real" else 0.0
    try:
        speed = float(pace)
    except ValueError:
        speed = math.nan
    if not 0 < speed <= 1000:
        raise ValueError("real, fast, or a number above 0, up to 1000")
    return speed


class SimNode(ManagedNode[SimParameters]):
    """Runs a box from activation on; ends with it."""

    NAME = "sim"
    PARAMETERS = SimParameters
    PUBLISHES: ClassVar = (graph.CLOCK, graph.GROUND_TRUTH)

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self.failure: BaseException | None = None
        self._running: BoxThread | None = None
        self._pose = Odometry(child_frame_id=graph.BASE_FRAME)
        self._pose.header.frame_id = WORLD_FRAME

    def open(self) -> None:
        """Build the box; its time stands still."""
        self._clock_topic = self.publisher(graph.CLOCK)
        self._truth = self.publisher(graph.GROUND_TRUTH)
        self._build()

    def _build(self) -> None:
        scenario = load_scenario(self.settings.scenario)
        self._running = BoxThread(scenario, self.settings, self._told_step, self._box_ended)
        ready = self._running.wait_until_ready()
        words = ", ".join(
            f"{name} {ready[name]}" for name in ("port", "camera", "control", "flight")
        )
        self.get_logger().info(f"{scenario.name}: {words}")
        if ready["missing"]:
            self.get_logger().warning(f"pictures are missing: {', '.join(ready['missing'])}")

    def begin(self) -> None:
        """Let time pass."""
        if self._running is None:  # it was active before: a box runs once
            self._build()
        assert self._running is not None
        self._running.go()

    def pause(self) -> None:
        """The box ends; activated again, another one begins."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def close(self) -> None:
        """End the box."""
        self.pause()

    # ---- in the box's thread

    def _told_step(self, plant: Any) -> None:
        """Publish what is due at this step."""
        if plant.steps % _CLOCK_STEPS == 0:
            stamp = time_message(plant.time_s)
            self._clock_topic.publish(Clock(clock=stamp))
            if plant.steps % _POSE_STEPS == 0 and self._truth.get_subscription_count():
                self._truth.publish(self._filled(plant, stamp))

    def _filled(self, plant: Any, stamp: Time) -> Odometry:
        message, pose = self._pose, plant.pose
        message.header.stamp = stamp
        message.pose.pose.position.x, message.pose.pose.position.y = pose.x, pose.y
        message.pose.pose.orientation.z = math.sin(pose.yaw / 2)
        message.pose.pose.orientation.w = math.cos(pose.yaw / 2)
        message.twist.twist.linear.x, message.twist.twist.angular.z = plant.velocity
        return message

    def _box_ended(self, failure: BaseException | None) -> None:
        """The node ends with its box: with 0 when the box ended in order."""
        if failure is not None:
            self.failure = failure
        else:
            signal.raise_signal(signal.SIGTERM)


class BoxThread:
    """A box from its making to its end in one thread, as its renderer wants it.

    Args:
        scenario: that it plays.
        settings: how.
        on_step: told of every step, from its thread.
        on_end: told that it has ended by itself, and of what it died, if so.
    """

    def __init__(
        self,
        scenario: Scenario,
        settings: SimParameters,
        on_step: Callable[[Any], None],
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        self._scenario, self._settings = scenario, settings
        self._on_step, self._on_end = on_step, on_end
        self._box: Any = None
        self._error: BaseException | None = None
        self._is_made, self._may_go = threading.Event(), threading.Event()
        self._is_told_to_end = False
        self._thread = threading.Thread(target=self._run, name="box", daemon=True)
        self._thread.start()

    def wait_until_ready(self) -> dict[str, Any]:
        """What others need to know of it.

        Raises:
            ReflexarcError: it could not be made.
        """
        self._is_made.wait(_START_S)
        if self._error is not None:
            raise self._error
        if self._box is None:
            raise SimNodeError(
                expected=f"the box within {_START_S:g} s",
                found="none",
                remedy="look whether the machine is overloaded",
            )
        ready: dict[str, Any] = self._box.ready_line
        return ready

    def go(self) -> None:
        """Let time pass from now on."""
        self._may_go.set()

    def end(self) -> None:
        """End it, and wait for that."""
        self._is_told_to_end = True
        if self._box is not None:
            self._box.end("the node ends")
        self._may_go.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        try:
            self._run_box()
        except BaseException as error:
            self._error = error
        was_made = self._is_made.is_set()
        self._is_made.set()
        if was_made and not self._is_told_to_end:
            self._on_end(self._error)

    def _run_box(self) -> None:
        # MuJoCo takes a moment, and memory: what is wrong with a scenario is said without it.
        from reflexarc.sim.box import Box

        settings = self._settings
        folder = settings.folder or tempfile.mkdtemp(prefix="reflexarc-box-")
        with Box(
            self._scenario,
            Path(folder).expanduser(),
            pictures=Path(settings.pictures).expanduser() if settings.pictures else None,
            pace=speed_of(settings.pace),
            camera_fps=None if settings.camera_fps < 0 else settings.camera_fps,
            seconds=None if settings.seconds < 0 else settings.seconds,
            waits=settings.waits,
            scenario_name=settings.scenario,
            on_step=self._on_step,
        ) as box:
            self._box = box
            self._is_made.set()
            self._may_go.wait()
            # A full collection would walk all of MuJoCo's wrappers, in mid-move.
            gc.collect()
            gc.freeze()
            box.run()


def time_message(seconds: float) -> Time:
    """Simulated seconds as ROS time."""
    sec, nanosec = divmod(round(seconds * 1e9), 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def main() -> None:
    """The program sim_node."""
    run(SimNode)


if __name__ == "__main__":
    main()
