"""Our types as messages, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from pydantic import ValidationError
from reflexarc_interfaces.msg import Count, NamedValue, RobotState
from reflexarc_interfaces.msg import Detection as DetectionMessage
from reflexarc_interfaces.msg import Event as EventMessage
from reflexarc_interfaces.msg import Keypoint as KeypointMessage
from reflexarc_interfaces.msg import Observation as ObservationMessage
from reflexarc_interfaces.msg import Plan as PlanMessage
from std_msgs.msg import Header

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import BoardState
from reflexarc.perception.observation import Box, Detection, Keypoint, Observation
from reflexarc.robot.events import Event, Stations
from reflexarc.robot.nodes.graph import BASE_FRAME, CAMERA_FRAME
from reflexarc.robot.plan import Plan

SERVOS = ("pan", "tilt", "gripper")
"""The order of `RobotState.servos_deg`."""


class MessageError(ReflexarcError):
    """A message that says what cannot be."""


def sayable(text: str) -> str:
    """A string that a message can carry: file names, and what a shell passes on, may be none."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


# ---- observations


def observation_message(
    observation: Observation, picture: tuple[int, int], stamp: Time
) -> ObservationMessage:
    """What a task said of a frame.

    Args:
        observation: its stamp, monotonic, becomes `captured_ns`.
        picture: width and height of the frame in pixels.
        stamp: when it was captured, in ROS time.
    """
    message = ObservationMessage()
    message.header = Header(stamp=stamp, frame_id=CAMERA_FRAME)
    message.captured_ns = observation.stamp_ns
    message.seq = observation.seq
    message.source = sayable(observation.source)
    message.task = observation.task
    message.image_width, message.image_height = picture
    message.detections = [_detection_message(found) for found in observation.detections]
    message.counts = [Count(name=name, value=n) for name, n in observation.counts.items()]
    return message


def observation_of(message: ObservationMessage, stamp_ns: int) -> Observation:
    """The same back.

    Args:
        message: as received.
        stamp_ns: when its frame was captured, on this machine's monotonic clock.
    """
    return Observation(
        stamp_ns=stamp_ns,
        seq=message.seq,
        source=message.source,
        task=message.task,
        detections=tuple(map(_detection_of, message.detections)),
        counts={count.name: count.value for count in message.counts},
    )


def _detection_message(found: Detection) -> DetectionMessage:
    box = found.box
    message = DetectionMessage(
        label=found.label,
        score=float(found.score),
        x=float(box.x),
        y=float(box.y),
        width=float(box.width),
        height=float(box.height),
        track=DetectionMessage.NO_TRACK if found.track is None else found.track,
    )
    # Only where there are any: each costs some microseconds.
    if found.keypoints:
        message.keypoints = [
            KeypointMessage(x=float(x), y=float(y), score=float(score))
            for x, y, score in found.keypoints
        ]
    if found.values:
        message.values = named_values(found.values)
    return message


def _detection_of(message: DetectionMessage) -> Detection:
    return Detection(
        message.label,
        message.score,
        Box(message.x, message.y, message.width, message.height),
        None if message.track == DetectionMessage.NO_TRACK else message.track,
        tuple(Keypoint(point.x, point.y, point.score) for point in message.keypoints),
        values_of(message.values),
    )


def named_values(values: Mapping[str, float]) -> list[NamedValue]:
    """Numbers with names."""
    return [NamedValue(name=name, value=float(value)) for name, value in values.items()]


def values_of(values: Iterable[NamedValue]) -> dict[str, float]:
    """The same back."""
    return {each.name: each.value for each in values}


# ---- plans and events


def plan_message(plan: Plan) -> PlanMessage:
    """A plan."""
    actions = [action.model_dump(mode="json") for action in plan.actions]
    return PlanMessage(
        status=plan.status,
        actions=sayable(json.dumps(actions, ensure_ascii=False)),
        message=sayable(plan.message),
        planner=sayable(plan.planner),
        confidence=plan.confidence,
    )


def plan_of(message: PlanMessage) -> Plan:
    """The same back, checked as any plan is.

    Raises:
        MessageError: that is no plan.
    """
    try:
        return Plan.model_validate(
            {
                "status": message.status,
                "actions": json.loads(message.actions or "[]"),
                "message": message.message,
                "planner": message.planner,
                "confidence": message.confidence,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the plan"
        found = f"{where}: {first['msg'].removeprefix('Value error, ')}"
    except (ValueError, RecursionError) as error:
        found = f"actions: {error}"
    raise MessageError(
        expected="a plan, its actions as JSON by the schema of `reflexarc actions`",
        found=found[:300],
        remedy="correct it, or send the sentence as text",
    )


def event_message(event: Event, stamp: Time, told_ns: int = 0) -> EventMessage:
    """What happened, when in ROS time; `told_ns` of the observation behind it."""
    message = EventMessage(
        header=Header(stamp=stamp),
        kind=event.kind,
        text=sayable(event.text),
        rule="" if event.firing is None else sayable(event.firing.rule.title),
        result=named_values(event.result),
    )
    if event.action is not None:
        action = event.action.model_dump(mode="json")
        message.action = sayable(json.dumps(action, ensure_ascii=False))
    if event.stations is not None:
        message.frame_ns = event.stations.frame
        message.told_ns = told_ns
        message.observed_ns = event.stations.observed
        message.decided_ns = event.stations.decided
        message.acknowledged_ns = event.stations.acknowledged
    return message


def event_dict(message: EventMessage) -> dict[str, Any]:
    """The plain data that `Event.as_dict` gives, of a message."""
    result = values_of(message.result)
    return {
        "event": message.kind,
        "text": message.text,
        "rule": message.rule or None,
        "action": json.loads(message.action) if message.action else None,
        "left_m": result.get("left_m"),
        "right_m": result.get("right_m") if "left_m" in result else None,
        "result": result,
    }


def stations_of(message: EventMessage) -> Stations | None:
    """When a firing passed each station; None where the event has none."""
    if not message.frame_ns:
        return None
    return Stations(
        message.frame_ns, message.observed_ns, message.decided_ns, message.acknowledged_ns
    )


# ---- the board's state


@dataclass(frozen=True)
class Standing:
    """What base adds to the board's state.

    Attributes:
        connection: "connected", "reconnecting", "restarted" or "closed".
        gate: "disarmed", "armed" or "stopped"; `reason` says why.
        by_hand: somebody drives by hand.
    """

    connection: str = "connected"
    gate: str = "disarmed"
    reason: str = ""
    by_hand: bool = False


def state_message(
    state: BoardState, standing: Standing, stamp: Time, message: RobotState | None = None
) -> RobotState:
    """The board's state; `stamp` is when it was measured, in ROS time.

    With a `message`, that one is filled again: a new one costs as much as all its fields.
    """
    if message is None:
        message = RobotState()
    message.header.stamp = stamp
    message.header.frame_id = BASE_FRAME
    message.measured_ns = state.measured_ns
    message.chip_us = state.chip_us
    message.encoder = list(state.encoder)
    message.speed = list(state.speed)
    message.duty = list(state.duty)
    message.motors_on = state.motors_on
    message.host_timed_out = state.host_timed_out
    message.watchdog_reset = state.watchdog_reset
    message.saturated = state.saturated
    message.bump = state.bump
    message.emergency_stop = state.emergency_stop
    message.servos_moving = state.servos_moving
    message.saving = state.saving
    message.faults = sorted(state.faults)
    message.battery_v = float(state.battery_v)
    message.range_m = math.nan if state.range_m is None else float(state.range_m)
    angles = [state.servos.get(name) for name in SERVOS]
    message.servos_deg = [math.nan if angle is None else float(angle) for angle in angles]
    message.rx_errors = state.rx_errors
    message.longest_period_us = state.longest_period_us
    message.stack_free = state.stack_free
    message.connection = standing.connection
    message.gate = standing.gate
    message.gate_reason = standing.reason
    message.by_hand = standing.by_hand
    return message


def state_of(message: RobotState, stamp_ns: int, measured_ns: int | None = None) -> BoardState:
    """The board's part of it.

    Args:
        message: as received.
        stamp_ns: when it was received, monotonic.
        measured_ns: when it was measured, on this machine's monotonic clock; by default
            the message's own, of base's machine.
    """
    return BoardState(
        stamp_ns=stamp_ns,
        measured_ns=message.measured_ns if measured_ns is None else measured_ns,
        chip_us=message.chip_us,
        encoder=_pair(message.encoder),
        speed=_pair(message.speed),
        motors_on=message.motors_on,
        host_timed_out=message.host_timed_out,
        watchdog_reset=message.watchdog_reset,
        saturated=message.saturated,
        bump=message.bump,
        emergency_stop=message.emergency_stop,
        servos_moving=message.servos_moving,
        saving=message.saving,
        faults=frozenset(message.faults),
        duty=_pair(message.duty),
        battery_v=message.battery_v,
        range_m=None if math.isnan(message.range_m) else message.range_m,
        servos={
            name: None if math.isnan(angle) else float(angle)
            for name, angle in zip(SERVOS, message.servos_deg, strict=True)
        },
        rx_errors=message.rx_errors,
        longest_period_us=message.longest_period_us,
        stack_free=message.stack_free,
    )


def standing_of(message: RobotState) -> Standing:
    """What base says of itself."""
    return Standing(message.connection, message.gate, message.gate_reason, message.by_hand)


def _pair(values: Iterable[int]) -> tuple[int, int]:
    left, right = (int(value) for value in values)
    return left, right
