"""What of body and chip goes into the flight log."""

from __future__ import annotations

from reflexarc.sim.flight import FlightLog
from reflexarc.sim.plant import Plant


class Recorder:
    """Writes the lines ``state``, ``motor`` and ``frame`` of a plant."""

    def __init__(self, plant: Plant, log: FlightLog) -> None:
        self._plant, self._log = plant, log

    def note(self) -> None:
        """A line about the body, and what the pins did since the last one."""
        plant = self._plant
        status, trace = plant.status, plant.board.trace()
        for change in trace.motor:
            self._log.write(
                "motor",
                plant.time_of(change.cycle),
                wall_ns=change.wall_ns,
                motor=change.motor,
                duty=change.duty,
            )
        for frame in trace.frames:
            self._log.write(
                "frame",
                plant.time_of(frame.first_cycle),
                wall_ns=frame.first_wall_ns,
                end_t=plant.time_of(frame.end_cycle),
                end_wall_ns=frame.end_wall_ns,
                length=frame.length,
            )
        self.state(duty=status.duty, wall_ns=status.wall_ns)

    def state(self, duty: tuple[int, int], wall_ns: int) -> None:
        """The body, now: with the motors' drive at their pins, and when that is."""
        plant, status = self._plant, self._plant.status
        self._log.write(
            "state",
            plant.time_s,
            mono_ns=wall_ns,
            pose=plant.pose,
            wheel_speed=plant.wheel_speeds,
            duty=duty,
            encoder=plant.encoder,
            servo_us=status.servo_us,
            light=status.light,
            range_m=plant.range_m,
            battery_v=plant.battery_v,
            bump=plant.bump,
            resets=status.resets,
            plugged=status.plugged,
            qpos=plant.data.qpos.tolist(),
        )
