"""The few qualities of service that the graph uses, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

_SIGNS_PER_LEASE = 3


@dataclass(frozen=True)
class Quality:
    """A QoS profile with a name and a reason, for the documentation.

    Attributes:
        depth: messages kept for a slow reader.
        reliable: lost ones are sent again.
        latched: who comes late gets the last one (transient local).
        lifespan_s: a publisher forgets it after that long, arrived or not; 0: never.
        lease_s: a publisher counts as gone after that long without a sign of life, which the
            middleware gives by itself while the process lives; 0: not looked at.
    """

    name: str
    why: str
    depth: int
    reliable: bool = True
    latched: bool = False
    lifespan_s: float = 0.0
    lease_s: float = 0.0

    @property
    def profile(self) -> QoSProfile:
        """For a subscription."""
        profile = QoSProfile(
            depth=self.depth,
            reliability=ReliabilityPolicy.RELIABLE
            if self.reliable
            else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL
            if self.latched
            else DurabilityPolicy.VOLATILE,
        )
        if self.lease_s:
            profile.liveliness = LivelinessPolicy.AUTOMATIC
            profile.liveliness_lease_duration = Duration(seconds=self.lease_s)
        return profile

    @property
    def offered(self) -> QoSProfile:
        """For a publisher.

        Only there has it a lifespan: a reader would hold the sender's stamp against its own
        clock, and the clocks of two machines may be apart.
        """
        profile = self.profile
        if self.lifespan_s:
            profile.lifespan = Duration(seconds=self.lifespan_s)
        if self.lease_s:  # so that one sign that got lost is no death
            profile.liveliness_lease_duration = Duration(seconds=self.lease_s / _SIGNS_PER_LEASE)
        return profile

    def __str__(self) -> str:
        """In a table."""
        words = ["reliable" if self.reliable else "best effort", f"last {self.depth}"]
        if self.latched:
            words.append("latched")
        if self.lifespan_s:
            words.append(f"for {self.lifespan_s:g} s")
        if self.lease_s:
            words.append(f"liveliness {self.lease_s:g} s")
        return ", ".join(words)


NEWEST = Quality("newest", "only the newest counts, and it must arrive: the robot's state", 1)
# Measured (docs/network.md): to a reliable reader, the last speed of a stream that ended while
# the network was down came 4 s late, and would have moved the robot. What asks for no
# repetition gets none, and still hears reliable publishers.
SPEED = Quality(
    "speed", "a speed is for now: better lost than late; the next one comes soon", 1, reliable=False
)
EVERY = Quality("every", "each one counts and may not be lost: what was seen, said and done", 50)
WISH = Quality(
    "wish", "each one counts, but not when the network is back long after", 50, lifespan_s=2.0
)
HELD = Quality("held", "who joins late has to know it too", 1, latched=True)
SENSOR = Quality(
    "sensor", "much data, soon old: better lost than late (ROS 2's sensor data)", 5, reliable=False
)
CLOCK = Quality("clock", "as ROS 2's own clock subscriptions want it", 1, reliable=False)
LIFE = Quality("life", "carries nothing: that its publisher lives is the message", 1, lease_s=0.2)
