"""What the nodes camera and perception share: a camera inside, its topics and its health."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from pydantic import Field

from reflexarc.core import ReflexarcError
from reflexarc.perception.cameras import Camera, CameraError
from reflexarc.perception.cameras.source import parse_source
from reflexarc.perception.cameras.statistics import CameraStatistics
from reflexarc.perception.frame import Frame
from reflexarc.robot.health import Health, Level
from reflexarc.robot.looking import camera_of
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.base_messages import diagnostics_message
from reflexarc.robot.nodes.images import ImageTopics
from reflexarc.robot.nodes.managed import ManagedNode
from reflexarc.robot.nodes.parameters import Parameters
from reflexarc.robot.nodes.stamps import Stamps

_HEALTH_S = 1.0
_END_S = 3.0


class CameraParameters(Parameters):
    """What the node can be told."""

    source: str = Field(
        "", description="camera, picture, folder or video; empty: robot.yaml's perception.source"
    )
    fps: float = Field(
        0.0, ge=0.0, le=1000.0, description="of pictures, 0: 20; videos go as they were filmed"
    )


C = TypeVar("C", bound=CameraParameters)


class Seeing:
    """A camera's frames in a thread of its own, from `start` to `stop`.

    Args:
        camera: open.
        on_frame: told of each frame.
        on_end: told that there are no more: None when they have all been seen, else what
            has failed.
    """

    def __init__(
        self,
        camera: Camera,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        self._camera, self._on_frame, self._on_end = camera, on_frame, on_end
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._see, name="camera", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """No frame is told any more after this, if the last one is done with in time."""
        self._is_over.set()
        self._camera.close()
        self._thread.join(_END_S)

    def _see(self) -> None:
        failure: BaseException | None = None
        try:
            for frame in self._camera:
                if self._is_over.is_set():
                    return
                self._on_frame(frame)
        except Exception as error:  # of whoever is told, too: nothing would be seen any more
            failure = error
        if not self._is_over.is_set():
            self._on_end(failure)


class SeeingNode(ManagedNode[C]):
    """A camera inside, its topics, and its health.

    A subclass says in `saw` what else is done with a frame.
    """

    PUBLISHES: ClassVar[tuple[graph.Topic, ...]] = (*ImageTopics.TOPICS, graph.DIAGNOSTICS)

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self.stamps = Stamps(self.get_clock())
        self._camera: Camera | None = None
        self._seeing: Seeing | None = None
        self._health_timer: Any = None
        self.failure: BaseException | None = None
        self._health = ""

    def saw(self, frame: Frame) -> None:
        """Take a frame, in the camera's thread."""

    def healths(self) -> list[Health]:
        """Of what there is besides the camera."""
        return []

    # ---- lifecycle

    def open(self) -> None:
        """Open the camera."""
        # What comes from a topic is there already: told again, this node would hear itself.
        source = self.settings.source or self.config.perception.source
        self._images = (
            None
            if source.startswith("ros:")
            else ImageTopics(self, self.config.camera.horizontal_fov_deg)
        )
        self._diagnostics = self.publisher(graph.DIAGNOSTICS)
        self._open_camera()

    def begin(self) -> None:
        """Let frames come."""
        if self._camera is None:  # it was active before
            self._open_camera()
        assert self._camera is not None
        self._seeing = Seeing(self._camera, self._take, self._ended)
        self._seeing.start()
        self._health_timer = self.every(_HEALTH_S, self._tell_health)

    def pause(self) -> None:
        """No more frames. The camera is let go of: another program may want it."""
        if self._health_timer is not None:
            self.destroy_timer(self._health_timer)
            self._health_timer = None
        seeing, self._seeing = self._seeing, None
        if seeing is not None:
            seeing.stop()
            self._camera = None

    def close(self) -> None:
        """Let go of the camera."""
        self.pause()
        camera, self._camera = self._camera, None
        if camera is not None:
            with contextlib.suppress(ReflexarcError):
                camera.close()

    def _open_camera(self) -> None:
        source = self.settings.source or self.config.perception.source
        if not source:
            raise CameraError(
                expected="perception.source in robot.yaml, or the parameter source",
                found="neither",
                remedy="name a camera, a folder of pictures or a video",
            )
        fps = self.settings.fps or None
        self._camera = camera_of(self._resolved(source), self.config, fps)

    def _resolved(self, source: str) -> str:
        """A relative topic as a camera is of this node's namespace, and may be remapped."""
        found = parse_source(source)
        if found.kind != "ros" or not found.address:
            return source
        topic = self.resolve_topic_name(found.address)
        return f"ros:{topic}{source.removeprefix('ros:').removeprefix(found.address)}"

    # ---- in the camera's thread

    def _take(self, frame: Frame) -> None:
        if self._images is not None:
            self._images.publish(frame, self.stamps.to_ros(frame.stamp_ns))
        self.saw(frame)

    def _ended(self, failure: BaseException | None) -> None:
        if failure is None:
            self.get_logger().info("no more frames: the source has ended")
        self.failure = failure

    # ---- health

    def _tell_health(self) -> None:
        if self._camera is None:
            return
        statistics = self._camera.statistics()
        if statistics.health != self._health:
            if self._health and statistics.health != "ended":
                self.get_logger().info(f"{self._camera.source}: {statistics.health}")
            self._health = statistics.health
        if not self._diagnostics.get_subscription_count():
            return
        healths = [camera_health(statistics), *self.healths()]
        message: DiagnosticArray = diagnostics_message(
            self.get_fully_qualified_name(), self._camera.source, healths, self.stamps.now()
        )
        self._diagnostics.publish(message)


def camera_health(statistics: CameraStatistics) -> Health:
    """A camera's, for diagnostics."""
    level = {
        "ok": Level.OK,
        "opening": Level.WARN,
        "stalled": Level.ERROR,
        "reopening": Level.ERROR,
        "failed": Level.ERROR,
        "ended": Level.WARN,
        "closed": Level.STALE,
    }[statistics.health]
    size, fps = statistics.size, statistics.fps
    last = statistics.outages[-1].what if statistics.outages else "none"
    values = {
        "size": "none" if size is None else f"{size[0]}x{size[1]}",
        "fps": "none" if fps is None else f"{fps:.1f}",
        "captured": str(statistics.captured),
        "dropped": str(statistics.dropped),
        "bad": str(statistics.bad),
        "outages": str(statistics.failures),
        "last outage": last,
    }
    return Health("camera", level, statistics.health, values)
