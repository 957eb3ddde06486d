"""The brain: sentences, rules and skills on one side, a body over the graph on the other."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field
from reflexarc_interfaces.msg import Observation as ObservationMessage
from reflexarc_interfaces.msg import RobotState
from std_msgs.msg import String

from reflexarc.core import ReflexarcError, quiet
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.robot.accord import Accord
from reflexarc.robot.events import Event
from reflexarc.robot.living import Living
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.convert import event_message, observation_of, sayable
from reflexarc.robot.nodes.life import Life
from reflexarc.robot.nodes.managed import ManagedNode, run
from reflexarc.robot.nodes.parameters import Parameters
from reflexarc.robot.nodes.plan_server import PlanServer
from reflexarc.robot.nodes.ros_board import RosBoard
from reflexarc.robot.nodes.stamps import Stamps
from reflexarc.robot.planners.opening import open_chain

_LOOK_S = 0.1


class BrainParameters(Parameters):
    """What the node can be told."""

    armed: bool = Field(
        True, description="arm a base that nobody has stopped; false: somebody calls arm"
    )
    speak: bool = Field(False, description="aloud too, where espeak-ng is installed")
    listen: bool = Field(True, description="to `reflexarc say` and `reflexarc stop`")
    state_folder: str = Field("", description="for rules and log; empty: the user's")


class BrainNode(ManagedNode[BrainParameters]):
    """Gives what comes over the graph to a `Living` robot, and tells what it does."""

    NAME = "brain"
    PARAMETERS = BrainParameters
    PUBLISHES: ClassVar = (*RosBoard.PUBLISHES, graph.EVENTS, graph.REPLIES, graph.NEEDED_TASKS)
    SUBSCRIBES: ClassVar = (graph.ROBOT_STATE, graph.OBSERVATIONS, graph.EYES, graph.ORDERS)
    SERVES: ClassVar = (graph.MAKE_PLAN, graph.RUN_PLAN)
    CALLS: ClassVar = RosBoard.CALLS

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self.failure: BaseException | None = None
        self._stamps = Stamps(self.get_clock())
        self._board: RosBoard | None = None
        self._plans: PlanServer | None = None
        self._life: Life | None = None
        self._accord: Accord | None = None
        self._timer: Any = None
        self._needed: frozenset[str] | None = None
        self._is_to_arm = False
        self._told_ns = 0  # of the observation that is being taken

    # ---- lifecycle

    def open(self) -> None:
        """Everything that does not need a base. Planners open at their first order."""
        with quiet():
            self._planner = open_chain(self.config.language)
        self._board = RosBoard(self, self.config)
        self._events = self.publisher(graph.EVENTS)
        self._replies = self.publisher(graph.REPLIES)
        self._needed_tasks = self.publisher(graph.NEEDED_TASKS)
        self.listen(graph.ROBOT_STATE, self._feel)
        self.listen(graph.OBSERVATIONS, self._see)
        self.watch(graph.EYES, self._go_blind)
        self.listen(graph.ORDERS, self._hear)
        self._plans = PlanServer(self, self.config, self._planner, lambda: self._alive)

    def begin(self) -> None:
        """Live, as soon as the base is heard."""
        assert self._board is not None
        folder = self.settings.state_folder
        self._life = Life(
            self.config,
            self._board,
            self._planner,
            on_event=self._tell,
            on_reply=lambda text: self._replies.publish(String(data=sayable(text))),
            on_word=self.log_once,
            on_birth=self._is_born,
            on_failure=self._fail,
            state_folder=Path(folder).expanduser() if folder else None,
            speak=self.settings.speak,
            listen=self.settings.listen,
        )
        self._life.start()
        self._timer = self.every(_LOOK_S, self._look_after_it)

    def pause(self) -> None:
        """End that life: everything stops."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        life, self._life = self._life, None
        if life is not None:
            life.stop()
            self._accord = None
            self._say_what_is_needed(frozenset())

    def close(self) -> None:
        """Let go of the services."""
        self.pause()
        plans, self._plans = self._plans, None
        if plans is not None:
            plans.close()
        board, self._board = self._board, None
        if board is not None:
            board.close()

    @property
    def _alive(self) -> Living | None:
        return None if self._life is None else self._life.alive

    def _fail(self, error: BaseException) -> None:
        self.failure = error

    # ---- its body

    def _is_born(self, alive: Living) -> None:
        assert self._board is not None
        self._accord = Accord(alive.robot.gate, self._board.stop_base)
        standing = self._board.standing
        if standing.gate == "stopped":
            self.get_logger().warning(f"the base is stopped: {standing.reason}; arm it on purpose")
        elif standing.gate == "disarmed" and not self.settings.armed:
            self.get_logger().info("not armed: call the service arm")
        self._is_to_arm = standing.gate == "disarmed" and self.settings.armed

    def _arm(self) -> None:
        """Once, when the base can be asked; unless somebody else has done so meanwhile."""
        assert self._board is not None
        if self._board.standing.gate != "disarmed":
            self._is_to_arm = False
        elif (answer := self._board.arm_soon()) is not None:
            self._is_to_arm = False
            answer.add_done_callback(self._is_armed)

    def _is_armed(self, future: Any) -> None:
        answer = future.result()
        if answer.success:
            self.get_logger().info("armed")
        else:
            self.get_logger().error(f"not armed: {answer.message}")

    def _feel(self, message: RobotState) -> None:
        alive, accord, board = self._alive, self._accord, self._board
        assert board is not None
        if alive is not None and accord is not None:
            accord.take(message.gate, message.gate_reason)
            if message.by_hand:
                with board.handing_over():
                    alive.robot.controller.yield_to_hand()
        board.take(message)

    # ---- what it sees and hears

    def _see(self, message: ObservationMessage) -> None:
        alive = self._alive
        if alive is None:
            return
        at = self._stamps.captured(message.captured_ns, message.header.stamp)
        size = (message.image_width, message.image_height)
        self._told_ns = message.told_ns
        # Where the base is lost, everything is stopped elsewhere; the eyes look on.
        with contextlib.suppress(LinkLostError):
            alive.robot.controller.observe(observation_of(message, at), size if all(size) else None)

    def _go_blind(self) -> None:
        alive = self._alive
        if alive is not None:
            with contextlib.suppress(LinkLostError):
                alive.robot.controller.lose_eyes("perception is gone")

    def _hear(self, message: String) -> None:
        if self._life is not None:
            self._life.order(message.data)

    # ---- what it tells

    def _tell(self, event: Event) -> None:
        self._events.publish(event_message(event, self._stamps.now(), self._told_ns))

    def _look_after_it(self) -> None:
        alive = self._alive
        if alive is None:
            return
        try:
            alive.robot.check()
        except ReflexarcError as error:
            self.failure = error
        if self._is_to_arm:
            self._arm()
        self._say_what_is_needed(alive.robot.controller.needed_tasks())

    def _say_what_is_needed(self, tasks: frozenset[str]) -> None:
        if tasks != self._needed:
            self._needed = tasks
            self._needed_tasks.publish(String(data=",".join(sorted(tasks))))


def main() -> None:
    """The program brain_node."""
    run(BrainNode)


if __name__ == "__main__":
    main()
