"""What all our nodes are: lifecycle nodes that start by themselves or by a launcher.

Unconfigured, a node holds nothing. Configured, it has opened what it needs (a port, a
camera, models). Active, it works. What fails on the way is said in words, and tried again
where the node starts by itself.
"""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from reflexarc.core import ReflexarcError
from reflexarc.robot.config import RobotConfig, load_config
from reflexarc.robot.nodes.graph import Call, Topic
from reflexarc.robot.nodes.parameters import ParameterError, Parameters, declare
from reflexarc.robot.nodes.strangers import Strangers

_ASK_S = 0.05
_FIRST_RETRY_S = 0.25
_LAST_RETRY_S = 5.0
_TURN_S = 0.1
_STRANGERS_S = 2.0
_TEARDOWN_S = 3.0
_STEADY = Clock(clock_type=ClockType.STEADY_TIME)
"""Simulated time may stand still: what a node does for itself must go on."""
P = TypeVar("P", bound=Parameters)


class ManagedNode(LifecycleNode, Generic[P]):  # type: ignore[misc]
    """A lifecycle node with checked parameters; see the module.

    A subclass fills `NAME`, `PARAMETERS` and the tables of its topics, and the four hooks.
    A hook that raises a ReflexarcError makes its transition fail with those words; `close`
    is called in any case and has to cope with what was never opened.
    """

    NAME: ClassVar[str]
    PARAMETERS: ClassVar[type[Parameters]] = Parameters
    PUBLISHES: ClassVar[tuple[Topic, ...]] = ()
    SUBSCRIBES: ClassVar[tuple[Topic, ...]] = ()
    SERVES: ClassVar[tuple[Call, ...]] = ()
    CALLS: ClassVar[tuple[Call, ...]] = ()

    def __init__(self, **keywords: Any) -> None:
        """Declare the parameters; nothing is opened yet.

        Raises:
            ParameterError: one that cannot be used.
        """
        super().__init__(self.NAME, **keywords)
        self.settings: P = declare(self, self.PARAMETERS)  # type: ignore[assignment]
        self.config: RobotConfig = RobotConfig()
        self.is_active = False
        self._said = ""
        self._retry_s, self._next_try = _FIRST_RETRY_S, 0.0
        self._subscriptions_made: list[Any] = []
        self._publishers_made: list[Any] = []
        self._services_made: list[Any] = []
        strangers = Strangers(self)
        self.create_timer(
            _STRANGERS_S,
            lambda: strangers.look(self._subscriptions_made, self._publishers_made),
            clock=_STEADY,
        )
        self._retry = None
        if self.settings.autostart:
            self._retry = self.create_timer(_ASK_S, self._start_by_itself, clock=_STEADY)

    # ---- for subclasses

    def open(self) -> None:
        """Open what is needed: from unconfigured to inactive."""

    def begin(self) -> None:
        """Start to work: from inactive to active."""

    def pause(self) -> None:
        """Stop to work, motors first: from active to inactive."""

    def close(self) -> None:
        """Let go of everything, whatever was opened. Never raises."""

    def publisher(self, topic: Topic) -> Any:
        """A publisher of one of `PUBLISHES`, until `close`."""
        assert topic in self.PUBLISHES, f"{self.NAME} does not declare {topic.name}"
        made = self.create_publisher(topic.type, topic.name, topic.quality.offered)
        self._publishers_made.append(made)
        return made

    def listen(self, topic: Topic, callback: Callable[[Any], None]) -> Any:
        """A subscription to one of `SUBSCRIBES`, until `close`; silent while not active."""
        assert topic in self.SUBSCRIBES, f"{self.NAME} does not declare {topic.name}"

        def take(message: Any) -> None:
            if self.is_active:
                try:
                    callback(message)
                except ReflexarcError as error:  # one message's trouble is not the node's end
                    self.log_once(str(error))

        made = self.create_subscription(topic.type, topic.name, take, topic.quality.profile)
        self._subscriptions_made.append(made)
        return made

    def watch(self, topic: Topic, on_loss: Callable[[], None]) -> Any:
        """Be told, while active, when the last publisher of one of `SUBSCRIBES` is gone.

        Ended or dead: for a process that was killed, that is its topic's lease later.
        """
        assert topic in self.SUBSCRIBES, f"{self.NAME} does not declare {topic.name}"

        def take(change: Any) -> None:
            if change.alive_count_change < 0 and not change.alive_count and self.is_active:
                on_loss()

        made = self.create_subscription(
            topic.type,
            topic.name,
            lambda message: None,
            topic.quality.profile,
            event_callbacks=SubscriptionEventCallbacks(
                liveliness=take, use_default_callbacks=False
            ),
        )
        self._subscriptions_made.append(made)
        return made

    def serve(self, call: Call, callback: Callable[[Any, Any], Any]) -> Any:
        """A service of `SERVES`, until `close`; `callback` fills the response and gives it."""
        assert call in self.SERVES, f"{self.NAME} does not declare {call.name}"
        made = self.create_service(call.type, call.name, callback)
        self._services_made.append(made)
        return made

    def every(self, seconds: float, callback: Callable[[], None]) -> Any:
        """A timer by the steady clock, to be destroyed with `destroy_timer`."""
        return self.create_timer(seconds, callback, clock=_STEADY)

    def log_once(self, text: str) -> None:
        """Say it, unless it was the last thing that was said here."""
        if text != self._said:
            self._said = text
            self.get_logger().warning(text)

    # Without rclpy's default events: see `strangers`.

    def create_subscription(self, *arguments: Any, **keywords: Any) -> Any:
        """As rclpy's."""
        keywords.setdefault(
            "event_callbacks", SubscriptionEventCallbacks(use_default_callbacks=False)
        )
        return super().create_subscription(*arguments, **keywords)

    def create_publisher(self, *arguments: Any, **keywords: Any) -> Any:
        """As rclpy's."""
        keywords.setdefault("event_callbacks", PublisherEventCallbacks(use_default_callbacks=False))
        return super().create_publisher(*arguments, **keywords)

    # ---- lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read robot.yaml, then `open`."""

        def configure() -> None:
            path = self.settings.config
            self.config = load_config(Path(path).expanduser()) if path else RobotConfig()
            self.open()

        done = self._attempt(configure)
        if done is not TransitionCallbackReturn.SUCCESS:
            self._let_go()
        return done

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """`begin`."""
        done = self._attempt(self.begin)
        self.is_active = done is TransitionCallbackReturn.SUCCESS
        if self.is_active:
            super().on_activate(state)
            self.get_logger().info("active")
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """`pause`."""
        self.is_active = False
        super().on_deactivate(state)
        return self._attempt(self.pause)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """`close`."""
        self._let_go()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """`pause` and `close`, from wherever it is."""
        self.end()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured, with nothing held."""
        self.is_active = False
        self._let_go()
        return TransitionCallbackReturn.SUCCESS

    def end(self) -> None:
        """Stop to work and let go of everything, in any state. Never raises."""
        if self._retry is not None:
            self._retry.cancel()
        if self.is_active:
            self.is_active = False
            self._attempt(self.pause)
        self._let_go()

    def _attempt(self, hook: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            hook()
        except ReflexarcError as error:
            self.log_once(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception:  # rclpy would make it an ERROR without a word
            self.get_logger().error(traceback.format_exc())
            return TransitionCallbackReturn.ERROR
        self._said = ""
        return TransitionCallbackReturn.SUCCESS

    def _let_go(self) -> None:
        self.close()
        for subscription in self._subscriptions_made:
            self.destroy_subscription(subscription)
        for publisher in self._publishers_made:
            self.destroy_publisher(publisher)
        for service in self._services_made:
            self.destroy_service(service)
        self._subscriptions_made.clear()
        self._publishers_made.clear()
        self._services_made.clear()

    def _start_by_itself(self) -> None:
        # One timer that asks the time: EventsExecutor does not follow a period that changes.
        assert self._retry is not None
        if time.monotonic() < self._next_try:
            return
        label = self._state_machine.current_state[1]
        if label in ("active", "finalized"):
            self._retry.cancel()
            return
        if label == "unconfigured":
            self.trigger_configure()
            label = self._state_machine.current_state[1]
        if label == "inactive":
            self.trigger_activate()
        if self.is_active:
            self._retry.cancel()
            return
        self._next_try = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, _LAST_RETRY_S)


def run(make: Callable[[], Any]) -> None:
    """The main function of a node's program: spins until SIGINT or SIGTERM, then ends cleanly.

    Exits with 0 after a signal, with 2 where the parameters cannot be used, and with 1 after
    a failure of the node itself (`node.failure`, if it has one) or of one of its callbacks, or
    where the middleware hangs at the end. SIGABRT, or a crash, shows where every thread was.
    """
    faulthandler.enable()
    ended = threading.Event()

    def stop(number: int, frame: Any) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    node = _made(make)
    executor = EventsExecutor()  # half the CPU time of rclpy's other executors
    executor.add_node(node)
    failure: BaseException | None = None
    try:
        while not ended.is_set() and failure is None:
            # Signals reach Python between two turns only.
            executor.spin_once(timeout_sec=_TURN_S)
            failure = getattr(node, "failure", None)
    except ExternalShutdownException:
        pass
    except Exception as error:  # of a callback: nobody would watch over the node any more
        failure = error
    finally:
        if failure is not None:
            print(f"{node.get_name()}: {_words(failure)}", file=sys.stderr, flush=True)
        with contextlib.suppress(Exception):  # the context may be gone already
            node.end()
        # All that is ours has stopped. What is left is the middleware's, whose locks can wait
        # for each other for ever (as in ros2/rmw_fastrtps#890).
        faulthandler.dump_traceback_later(_TEARDOWN_S, exit=True)
        with contextlib.suppress(Exception):
            node.destroy_node()
        rclpy.try_shutdown()
    raise SystemExit(0 if failure is None else 1)


def _made(make: Callable[[], Any]) -> Any:
    """The node, or exit code 2 with words."""
    try:
        _begin_ros()
        return make()
    except ReflexarcError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr, flush=True)
    rclpy.try_shutdown()
    raise SystemExit(2)


def _begin_ros() -> None:
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # all that rclpy's errors have in common
        raise ParameterError(
            expected="arguments as in --ros-args -p name:=value -r old:=new --params-file FILE",
            found=" ".join(str(error).split()),
            remedy="correct what it names",
        ) from error


def _words(failure: BaseException) -> str:
    """For what we foresaw, our words; for what we did not, where it happened."""
    if isinstance(failure, ReflexarcError):
        return str(failure)
    return "".join(traceback.format_exception(failure)).rstrip()
