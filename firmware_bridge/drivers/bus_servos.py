"""Named bus servos in degrees, over any family's bus.

Safety: opening makes every servo limp. Goals are clamped to the configured limits and
to the servo's own, at a speed limit that is always on. Releasing and closing switch
the torque off, and so does every error that is raised from here: what still answers
goes limp. What happens when the host dies is the family's matter; see its module.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reflexarc.firmware_bridge.drivers.bus import BusStatistics, Reply, ServoBus
from reflexarc.firmware_bridge.drivers.bus_config import (
    DEFAULT_LIMITS_DEG,
    DEFAULT_SPEED_DPS,
    BusConfig,
)
from reflexarc.firmware_bridge.drivers.bus_port import BusPort
from reflexarc.firmware_bridge.drivers.bus_search import explain_missing
from reflexarc.firmware_bridge.drivers.errors import (
    DriverConfigError,
    ServoError,
    ServoFaultError,
)
from reflexarc.firmware_bridge.drivers.family import CENTRE, STEPS_PER_DEGREE, Family, Goal
from reflexarc.firmware_bridge.drivers.names import check_angles, known_servos
from reflexarc.firmware_bridge.errors import LinkLostError

_REMEDIES = {
    "overload": "free what blocks it",
    "overheating": "let it cool down, and lighten its load",
    "voltage": "check the supply against the servo's rating, under load",
}


class BusServos:
    """Connected bus servos; a context manager. Methods may be called from several threads.

    After a lost port the next call opens it again, with all servos limp.
    """

    def __init__(self, config: BusConfig, family: Family) -> None:
        """Connect, and make all servos limp; raises as the family's open function."""
        self._config = config
        self._family = family
        self._ids = dict(config.ids)
        self._names = {servo: name for name, servo in config.ids.items()}
        self._statistics = BusStatistics()
        self._lock = threading.RLock()
        self._closed = False
        self._port: BusPort | None = None
        self._bus, self._ranges = self._open()
        atexit.register(self.close)

    @property
    def names(self) -> tuple[str, ...]:
        """As in the settings."""
        return tuple(self._ids)

    def statistics(self) -> BusStatistics:
        """Counts since the first opening."""
        with self._lock:
            return replace(self._statistics)

    # ---- motion

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Move the named servos, torque on; gives the targets in degrees that they hold.

        Raises:
            ServoError: an unknown name or an angle that is no number (nothing was sent);
                ServoMissingError, ServoFaultError: and all were released.
            LinkLostError: the port is gone.
        """
        check_angles(angles, self.names)
        with self._on_the_bus():
            goals = {self._ids[name]: self._goal(name, angle) for name, angle in angles.items()}
            if goals:
                self._check_faults(self._family.move(self._bus, goals))
            return {name: self._degrees(name, goals[self._ids[name]].position) for name in angles}

    def servo_angles(self) -> dict[str, float | None]:
        """Where each one is, in degrees; limp ones too.

        Raises:
            ServoMissingError, ServoFaultError: and all were released.
            LinkLostError: the port is gone.
        """
        with self._on_the_bus():
            positions = self._family.positions(self._bus, list(self._names))
            self._check_faults({servo: reply for servo, (_, reply) in positions.items()})
            return {
                name: self._degrees(name, positions[servo][0]) for name, servo in self._ids.items()
            }

    def release_servos(self, names: Iterable[str] | None = None) -> None:
        """Torque off for the named ones, or all. What a servo complains of does not matter.

        Raises:
            ServoError: an unknown name; ServoMissingError: one may still have torque.
            LinkLostError: the port is gone.
        """
        chosen = self.names if names is None else known_servos(names, self.names)
        if chosen:
            with self._on_the_bus():
                self._family.release(self._bus, [self._ids[name] for name in chosen])

    # ---- degrees and steps

    def _scale(self, name: str) -> float:
        return -STEPS_PER_DEGREE if name in self._config.reversed else STEPS_PER_DEGREE

    def _steps(self, name: str, degrees: float) -> float:
        return CENTRE + (degrees + self._config.trim_deg.get(name, 0.0)) * self._scale(name)

    def _degrees(self, name: str, steps: int) -> float:
        return (steps - CENTRE) / self._scale(name) - self._config.trim_deg.get(name, 0.0)

    def _goal(self, name: str, degrees: float) -> Goal:
        low, high = self._ranges[name]
        speed = self._config.speed_dps.get(name, DEFAULT_SPEED_DPS)
        return Goal(
            max(low, min(high, round(self._steps(name, degrees)))), speed * STEPS_PER_DEGREE
        )

    def _range(self, name: str, own: tuple[int, int]) -> tuple[int, int]:
        """Steps that are within both the configured limits and the servo's own."""
        limits = self._config.limits_deg.get(name, DEFAULT_LIMITS_DEG)
        ends = sorted(self._steps(name, limit) for limit in limits)
        low, high = max(own[0], math.ceil(ends[0])), min(own[1], math.floor(ends[1]))
        if low <= high:
            return low, high
        own_ends = sorted(self._degrees(name, step) for step in own)
        raise DriverConfigError(
            expected=f"limits_deg of {name} that meet the servo's own, "
            f"{own_ends[0]:.1f} to {own_ends[1]:.1f}",
            found=f"{limits[0]} to {limits[1]}",
            remedy="change limits_deg or trim_deg, or the servo's own limits with the vendor's "
            "tool",
        )

    # ---- faults

    def _check_faults(self, replies: Mapping[int, Reply]) -> None:
        for servo, reply in replies.items():
            faults = self._family.faults(self._bus, servo, reply)
            if faults:
                raise ServoFaultError(
                    expected=f"servo {self._bus.name(servo)} without a fault",
                    found=" and ".join(faults),
                    remedy="; ".join(_REMEDIES.get(fault, "replace it") for fault in faults)
                    + "; then switch the servos' power off and on",
                )

    # ---- the line

    def _open(self) -> tuple[ServoBus, dict[str, tuple[int, int]]]:
        baudrate = self._config.baudrate or self._family.baudrates[0]
        port = BusPort(self._config.port, baudrate, self._config.reply_timeout_s)
        self._port = port
        try:
            bus = ServoBus(self._family.packets(port), self._names, self._statistics)
            if missing := [servo for servo in self._names if not bus.ping(servo)]:
                raise explain_missing(self._config, self._family, port, baudrate, missing)
            # All limp before anything that can fail is asked of one of them.
            self._family.release(bus, list(self._names))
            return bus, {
                name: self._range(name, self._family.prepare(bus, servo))
                for name, servo in self._ids.items()
            }
        except OSError as error:
            raise self._lost(error) from error
        except BaseException:
            self._drop_port()
            raise

    @contextlib.contextmanager
    def _on_the_bus(self) -> Iterator[None]:
        """The lock, an open port, and everything limp if it goes wrong."""
        with self._lock:
            if self._closed:
                raise LinkLostError(
                    expected=f"an open servo bus at {self._config.port}",
                    found="one that was closed",
                    remedy="open it again",
                )
            if self._port is None:
                self._bus, self._ranges = self._open()
                self._statistics.reconnects += 1
            try:
                yield
            except OSError as error:
                raise self._lost(error) from error
            except BaseException:
                self._release_what_answers()
                raise

    def _release_what_answers(self) -> None:
        # One at a time: one that is silent must not keep the others from being checked.
        for servo in self._names:
            with contextlib.suppress(ServoError, OSError):
                self._family.release(self._bus, [servo])

    def _lost(self, error: OSError) -> LinkLostError:
        self._drop_port()
        return LinkLostError(
            expected=f"the servo bus at {self._config.port}",
            found=str(error),
            remedy="plug the adapter in again: the next command connects, with all servos limp",
        )

    def _drop_port(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    # ---- the end

    def close(self) -> None:
        """Release all as well as the line allows, and free the port. Never raises."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed = True
            if self._port is not None:
                self._release_what_answers()
            self._drop_port()

    def __enter__(self) -> BusServos:
        """Itself, already connected."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()
