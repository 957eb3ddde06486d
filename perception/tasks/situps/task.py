"""The situps task: poses in, whole repetitions out, for each person by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.pose.bodies import KEPT_NS
from reflexarc.perception.tasks.pose.task import Follower, detection, follower
from reflexarc.perception.tasks.situps.cycle import PHASES, Count, SitUpCounter
from reflexarc.perception.tasks.situps.geometry import GeometricCounter
from reflexarc.perception.tasks.situps.phases import PhaseCounter
from reflexarc.perception.tasks.situps.trust import Trust

TASK = "situps"


class SitUps:
    """Counts sit-ups.

    Detections are bodies: the label is the phase ("down", "rising", "up", "falling", or
    "other": no sit-ups), values are the person's own "sit_ups", "partial" and the
    phase's "confidence". Counts are those of all people since the beginning. A pose that is
    much less sure than that body's usual ones is told, but counts for nothing.
    """

    def __init__(self, bodies: Follower, new_counter: Callable[[], SitUpCounter]) -> None:
        """Take what follows bodies, and what makes a counter for each."""
        self._bodies = bodies
        self._new_counter = new_counter
        self._counters: dict[int, tuple[SitUpCounter, Trust, int]] = {}
        self._said: dict[int, Count] = {}

    def process(self, frame: Frame) -> Observation:
        """Look at the next frame."""
        bodies = {body.track: body for body in self._bodies.update(frame.image, frame.stamp_ns)}
        for track in bodies.keys() - self._counters.keys():
            self._counters[track] = (self._new_counter(), Trust(), frame.stamp_ns)
        found = []
        for track, (counter, trust, seen_ns) in tuple(self._counters.items()):
            body = bodies.get(track)
            pose = body.pose if body is not None and trust.believes(body.pose) else None
            count = counter.update(pose, frame.stamp_ns)
            self._said[track] = count
            if body is not None:
                values = {
                    "sit_ups": count.full,
                    "partial": count.partial,
                    "confidence": count.confidence,
                }
                found.append(detection(body.pose, track, count.phase, values))
                self._counters[track] = (counter, trust, frame.stamp_ns)
            elif frame.stamp_ns - seen_ns > KEPT_NS:
                # Whoever comes now has a new number; the count stays.
                del self._counters[track]
        return Observation(
            frame.stamp_ns,
            frame.seq,
            frame.source,
            TASK,
            tuple(sorted(found, key=lambda d: -d.score)),
            {
                "sit_ups": sum(count.full for count in self._said.values()),
                "partial": sum(count.partial for count in self._said.values()),
            },
        )


def open_situps(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    people: int = 1,
    counter: str = "net",
    pose_model: str | Path | None = None,
) -> SitUps:
    """The task ready to look, see `reflexarc.perception.tasks.open_task`.

    Args:
        model: the net that tells phases.
        device: where nets run.
        people: count for so many at most.
        counter: "net", or "geometric": angles alone.
        pose_model: as `model` of the pose task.

    Raises:
        TaskError: another counter; the card of `model` is of another task.
    """
    bodies = follower(pose_model, device, people)
    if counter == "geometric":
        return SitUps(bodies, GeometricCounter)
    if counter != "net":
        raise TaskError(
            expected='counter "net" or "geometric"', found=repr(counter), remedy="choose one"
        )
    net = load_model(model or default_model_path(TASK), device)
    if net.card.task != TASK or net.card.labels != PHASES:
        raise TaskError(
            expected=f'a model for the task "{TASK}" with the labels {", ".join(PHASES)}',
            found=f'{net.card.name!r} for "{net.card.task}" with {", ".join(net.card.labels)}',
            remedy="leave model out, or train one with `reflexarc train situps`",
        )
    return SitUps(bodies, lambda: PhaseCounter(net))
