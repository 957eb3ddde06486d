"""The eyes: a camera inside, nets that look at its frames, and what they say as messages.

Pixels stay in this process unless somebody subscribes to them.
"""

from __future__ import annotations

import importlib.util
import math
import time
from typing import Any, ClassVar

from pydantic import Field
from std_msgs.msg import Header, String

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.pipeline import SlotStatistics
from reflexarc.perception.tasks import tasks
from reflexarc.robot.health import Health, Level
from reflexarc.robot.looking import Looking
from reflexarc.robot.nodes import graph, qos
from reflexarc.robot.nodes.convert import observation_message
from reflexarc.robot.nodes.detections import detections_message
from reflexarc.robot.nodes.images import jpeg_message
from reflexarc.robot.nodes.managed import run
from reflexarc.robot.nodes.parameters import ParameterError
from reflexarc.robot.nodes.seeing import CameraParameters, SeeingNode
from reflexarc.robot.reflexes import task_of

_OPENING_S = 20.0
_SHOWN_S = 0.5
"""So old may be what is drawn into a picture."""


class PerceptionParameters(CameraParameters):
    """What the node can be told."""

    tasks: str = Field(
        "", description="what to look for besides what rules and orders need, as in digits,mask"
    )


class PerceptionNode(SeeingNode[PerceptionParameters]):
    """Runs tasks on a camera's frames; see the module."""

    NAME = "perception"
    PARAMETERS = PerceptionParameters
    PUBLISHES: ClassVar[tuple[graph.Topic, ...]] = (
        *SeeingNode.PUBLISHES,
        graph.OBSERVATIONS,
        graph.ANNOTATED,
        graph.EYES,
    )
    SUBSCRIBES: ClassVar[tuple[graph.Topic, ...]] = (graph.NEEDED_TASKS,)

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self._looking: Looking | None = None
        self._detections: Any = None
        self._needed: frozenset[str] = frozenset()
        self._newest: dict[str, Observation] = {}
        self._is_waited_for = False

    # ---- lifecycle

    def open(self) -> None:
        """Open the camera, and begin to open the tasks."""
        named = _names(self.settings.tasks)
        unknown = sorted(named - set(tasks()))
        if unknown:
            raise ParameterError(
                expected=f"tasks among {', '.join(tasks())}",
                found=", ".join(unknown),
                remedy="correct the parameter tasks",
            )
        # Nets load while the camera is being opened.
        self._looking = Looking(self.config, self._observed, self._say)
        rules = {task for rule in self.config.reflexes if (task := task_of(rule.event))}
        self._always = named | rules
        self._looking.want(self._always)
        super().open()
        self._observations = self.publisher(graph.OBSERVATIONS)
        self._annotated = self.publisher(graph.ANNOTATED)
        self.publisher(graph.EYES)
        if importlib.util.find_spec("vision_msgs") is not None:
            self._detections = self._standard_publisher()
        # Also while it is not active: what is needed then is said only once.
        needed = self.create_subscription(
            graph.NEEDED_TASKS.type,
            graph.NEEDED_TASKS.name,
            self._need,
            graph.NEEDED_TASKS.quality.profile,
        )
        self._subscriptions_made.append(needed)

    def close(self) -> None:
        """Let go of camera and tasks."""
        super().close()
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.close()
        self._newest.clear()
        self._is_waited_for = False
        self._detections = None

    def _standard_publisher(self) -> Any:
        from vision_msgs.msg import Detection2DArray

        made = self.create_publisher(Detection2DArray, "detections", qos.EVERY.offered)
        self._publishers_made.append(made)
        return made

    # ---- what is wanted

    def _need(self, message: String) -> None:
        self._needed = _names(message.data)
        if self._looking is not None:
            self._looking.want(self._always | self._needed)

    def _say(self, text: str) -> None:
        self.get_logger().error(text)

    # ---- in the camera's thread

    def saw(self, frame: Frame) -> None:
        """Let the tasks look, and draw what they said of late if somebody wants to see it."""
        looking = self._looking
        if looking is None:
            return
        if not self._is_waited_for and self._camera is not None:
            self._is_waited_for = True
            if not self._camera.live:  # a file does not run away
                looking.wait(_OPENING_S)
        looking.put(frame)
        if self._annotated.get_subscription_count():
            self._annotate(looking, frame)

    def _annotate(self, looking: Looking, frame: Frame) -> None:
        from reflexarc.perception.overlay import draw, marks_of

        oldest = frame.stamp_ns - _SHOWN_S * 1e9
        told = [seen for seen in list(self._newest.values()) if seen.stamp_ns >= oldest]
        drawn = draw(frame.image, told, marks=marks_of(looking.open_tasks.values()))
        header = Header(stamp=self.stamps.to_ros(frame.stamp_ns), frame_id=graph.CAMERA_FRAME)
        self._annotated.publish(jpeg_message(drawn, header))

    # ---- in the tasks' threads

    def _observed(self, frame: Frame, observation: Observation) -> None:
        if not self.is_active:
            return
        self._newest[observation.task] = observation
        height, width = frame.image.shape[:2]
        stamp = self.stamps.to_ros(observation.stamp_ns)
        message = observation_message(observation, (width, height), stamp)
        message.told_ns = time.monotonic_ns()
        self._observations.publish(message)
        if self._detections is not None and self._detections.get_subscription_count():
            self._detections.publish(detections_message(observation, stamp))

    # ---- health

    def healths(self) -> list[Health]:
        """Of each task."""
        looking = self._looking
        if looking is None:
            return []
        statistics = looking.statistics()
        return [
            task_health(name, statistics.get(name))
            for name in sorted(looking.wanted | statistics.keys())
        ]


def task_health(name: str, statistics: SlotStatistics | None) -> Health:
    """A task's, for diagnostics; None: it is not open."""
    if statistics is None:
        return Health(f"task {name}", Level.ERROR, "not open", {})
    looks = statistics.look_ms
    values = {
        "seen": str(statistics.seen),
        "dropped": str(statistics.dropped),
        "failed": str(statistics.failed),
        "look_ms p50": f"{looks[0] if looks else math.nan:.1f}",
        "look_ms p99": f"{looks[1] if looks else math.nan:.1f}",
    }
    if statistics.error:
        return Health(f"task {name}", Level.WARN, statistics.error, values)
    return Health(f"task {name}", Level.OK, "looking", values)


def _names(text: str) -> frozenset[str]:
    return frozenset(name for part in text.split(",") if (name := part.strip()))


def main() -> None:
    """The program perception_node."""
    run(PerceptionNode)


if __name__ == "__main__":
    main()
