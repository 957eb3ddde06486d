"""The service make_plan and the action run_plan."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.task import Future
from reflexarc_interfaces.action import RunPlan

from reflexarc.core import ReflexarcError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.events import Event
from reflexarc.robot.living import Living
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.convert import event_message, plan_message, plan_of
from reflexarc.robot.nodes.managed import ManagedNode
from reflexarc.robot.nodes.stamps import Stamps
from reflexarc.robot.plan import Plan
from reflexarc.robot.plan_check import checked
from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.stop import is_stop
from reflexarc.robot.session import Reply
from reflexarc.robot.words import language_of


@dataclass
class _Errand:
    """A goal under way."""

    alive: Living
    order: int | None = None
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True
        if self.order is not None:
            self.alive.robot.controller.cancel(self.order, "cancelled")


class PlanServer:
    """Plans and does for callers. What takes long has a thread: the executor goes on turning.

    Args:
        node: that serves.
        config: for the limits.
        planner: makes plans of sentences.
        alive: the living robot, None before it lives.
    """

    def __init__(
        self,
        node: ManagedNode[Any],
        config: RobotConfig,
        planner: Planner,
        alive: Callable[[], Living | None],
    ) -> None:
        self._node = node
        self._limits = config.limits
        self._planner = planner
        self._alive = alive
        self._stamps = Stamps(node.get_clock())
        self._errands: dict[bytes, _Errand] = {}
        node.serve(graph.MAKE_PLAN, self._make_plan)
        self._server = ActionServer(
            node,
            RunPlan,
            graph.RUN_PLAN.name,
            self._run_plan,
            goal_callback=self._accepts,
            cancel_callback=self._cancel,
        )

    def close(self) -> None:
        """Serve no more."""
        self._server.destroy()

    # ---- make_plan

    async def _make_plan(self, request: Any, response: Any) -> Any:
        response.plan = await self._in_thread(lambda: plan_message(self._plan(request.text)))
        return response

    def _plan(self, text: str) -> Plan:
        try:
            return checked(self._planner.plan(text), self._limits, language_of(text[:200]))
        except ReflexarcError as error:
            return Plan(status="refuse", message=str(error)[:1000], planner=self._planner.name)

    # ---- run_plan

    def _accepts(self, request: Any) -> GoalResponse:
        if self._alive() is None:
            self._node.log_once("run_plan is refused: not active, or no base yet")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _cancel(self, goal: Any) -> CancelResponse:
        errand = self._errands.get(bytes(goal.goal_id.uuid))
        if errand is not None:
            errand.cancel()
        return CancelResponse.ACCEPT

    async def _run_plan(self, goal: Any) -> Any:
        alive = self._alive()
        if alive is None:
            goal.abort()
            return RunPlan.Result(outcome="failed", message="the robot has ended")
        errand = _Errand(alive)
        key = bytes(goal.goal_id.uuid)
        self._errands[key] = errand
        try:
            if is_stop(goal.request.text) and not goal.request.plan.status:
                result = self._do(errand, goal)  # at once: it does not wait for a thread
            else:
                result = await self._in_thread(lambda: self._do(errand, goal))
        finally:
            del self._errands[key]
        if result.outcome in ("done", "answer"):
            goal.succeed()
        elif goal.is_cancel_requested:
            result.outcome = "stopped"
            goal.canceled()
        else:
            goal.abort()
        return result

    def _do(self, errand: _Errand, goal: Any) -> Any:
        """Do a goal, telling what happens; gives the result."""
        try:
            ask = self._asking(errand.alive, goal.request)
            return self._follow(errand, ask, goal.publish_feedback)
        except ReflexarcError as error:
            return RunPlan.Result(outcome="failed", message=str(error))

    def _asking(self, alive: Living, request: Any) -> Callable[[], Reply]:
        confirmed = request.confirmed
        if not request.plan.status:
            return lambda: alive.hear(request.text, confirmed=confirmed)
        plan = plan_of(request.plan)
        return lambda: alive.carry_out(plan, confirmed=confirmed)

    def _follow(
        self, errand: _Errand, ask: Callable[[], Reply], tell: Callable[[Any], None]
    ) -> Any:
        result = RunPlan.Result()
        failed, is_stopped = "", False
        for told in errand.alive.follow(ask):
            if isinstance(told, Reply):
                result.outcome, result.message = _outcome(told), told.text
                if told.plan is not None:
                    result.plan = plan_message(told.plan)
                errand.order = told.order
                if errand.is_cancelled:  # while it was being understood
                    errand.cancel()
            elif told.order is not None and told.order == errand.order:
                tell(RunPlan.Feedback(event=self._event(told)))
                failed = told.text if told.kind == "failed" else failed
            elif told.kind == "stopped" and failed:
                is_stopped = True
        if failed:
            result.outcome, result.message = "stopped" if is_stopped else "failed", failed
        return result

    def _event(self, event: Event) -> Any:
        return event_message(event, self._stamps.now())

    # ---- beside the executor

    def _in_thread(self, work: Callable[[], Any]) -> Future:
        """The result of `work`, done in a thread of its own."""
        future = Future(executor=self._node.executor)

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, name="errand", daemon=True).start()
        return future


def _outcome(reply: Reply) -> str:
    """What a reply is to a caller, if nothing goes wrong after it."""
    if reply.kind == "confirm":
        return "confirm"
    if reply.kind == "doing":
        return "done"
    if reply.plan is None:
        return "answer"
    if reply.plan.status != "ok":
        return "refused"
    return "done" if reply.plan.stops else "failed"
