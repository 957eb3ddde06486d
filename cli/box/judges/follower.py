"""The follower: keeps the person ahead and at a distance; stands when they are gone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run
from reflexarc.robot.skills.follow import TARGETS

_SETTLED_S = 2.0
"""After the start it may first turn and come near."""
_BEARING_DEG = 28.0
"""In view: the camera sees 31 degrees to each side."""
_NEAREST_M, _FARTHEST_M = 0.7, 1.9
_AT_REST_OFF_M = 0.4
"""How far somebody is goes by the usual height and width of a person: no better than that."""
_LOST_S = 1.5
"""What was seen counts for 0.6 s, the people task may see a ghost once, then it brakes."""
_CREEP_M = 0.05


def is_over(live: Live) -> bool:
    """It has said that it has lost somebody who is gone."""
    news = [event["text"] for _, event in live.events if event["event"] == "progress"]
    is_gone = live.now > _vanishes_s(live.scenario.boards["walker"].path)
    return is_gone and bool(news) and "lost" in news[-1]


def checks(run: Run) -> list[Check]:
    """By the true places of robot and walker."""
    flight = run.flight
    start = run.of("started", "follow")
    if not start:
        return [Check("it follows", "never", False)]
    vanished = run.begin_s + _vanishes_s(run.scenario.boards["walker"].path)
    walker = _way(run, "walker")
    during = (flight.t > start[0].t + _SETTLED_S) & (flight.t < vanished)
    # The log has a line for each move, and none while somebody stands.
    newest = np.searchsorted(walker[:, 0], flight.t, side="right") - 1
    away = walker[np.maximum(newest, 0), 1:] - flight.pose[:, :2]
    bearing = np.degrees(np.arctan2(away[:, 1], away[:, 0]) - flight.pose[:, 2])
    bearing = np.abs((bearing + 180) % 360 - 180)
    distance = np.hypot(away[:, 0], away[:, 1])
    seen = [o for o in run.observations if start[0].t < o.t < vanished]
    found = sum(any(d["label"] == "person" for d in o.value["detections"]) for o in seen)
    share = found / max(1, len(seen))
    rest_m = float(distance[during][-1]) if during.any() else math.nan
    wanted_m = TARGETS["person"].distance_m
    went = float(np.sum(np.hypot(*np.diff(flight.pose[during, :2], axis=0).T)))
    stop = min(vanished + _LOST_S, flight.seconds)
    crept = math.dist(flight.pose_at(stop)[:2], flight.pose_at(flight.seconds)[:2])
    lost = [e for e in run.of("progress", "follow") if e.t > vanished and "lost" in e.value["text"]]
    return [
        Check("the person is seen in most frames", f"{100 * share:.0f} %", share >= 0.8),
        Check(
            f"the person stays within {_BEARING_DEG:g}° of straight ahead (true bearing)",
            f"worst {float(bearing[during].max(initial=0)):.1f}°",
            bool(during.any()) and float(bearing[during].max()) <= _BEARING_DEG,
        ),
        Check(
            f"and between {_NEAREST_M:g} and {_FARTHEST_M:g} m away (true distance)",
            f"{float(distance[during].min(initial=9)):.2f} to "
            f"{float(distance[during].max(initial=0)):.2f} m",
            bool(during.any())
            and float(distance[during].min()) >= _NEAREST_M
            and float(distance[during].max()) <= _FARTHEST_M,
        ),
        Check(
            f"it comes to rest {wanted_m:g} ± {_AT_REST_OFF_M:g} m from a person who stands",
            f"{rest_m:.2f} m",
            abs(rest_m - wanted_m) <= _AT_REST_OFF_M,
        ),
        Check("it has really followed", f"{went:.2f} m", went > 0.5),
        Check("it says that it has lost them", f"{len(lost)} times", bool(lost)),
        Check(
            "it drives no further after somebody who is gone",
            f"{100 * crept:.1f} cm",
            crept <= _CREEP_M,
        ),
    ]


def _vanishes_s(path: tuple[object, ...]) -> float:
    """When the walker leaves for good: at the last point but one of the way."""
    return float(path[-2].t)  # type: ignore[attr-defined]


def _way(run: Run, name: str) -> npt.NDArray[np.float64]:
    """Rows of t, x, y of a thing."""
    lines = [line for line in run.flight.lines.get("thing", []) if line["name"] == name]
    return np.array([[line["t"], line["x"], line["y"]] for line in lines], np.float64)
