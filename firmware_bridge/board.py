"""The robot's board as an object: commands that say what was applied, state in units."""

from __future__ import annotations

import atexit
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reflexarc.firmware_bridge import commands
from reflexarc.firmware_bridge.clock_sync import ClockEstimate
from reflexarc.firmware_bridge.engine import ConnectionStatus, Engine
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardRestartedError,
    SettingsError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.faults import ALL_FAULTS, capability_names, fault_bits, reset_names
from reflexarc.firmware_bridge.ports import Port
from reflexarc.firmware_bridge.probe import find_board
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.settings import BoardSettings
from reflexarc.firmware_bridge.state import SERVO_NAMES, BoardState
from reflexarc.firmware_bridge.statistics import LinkStatistics

# 2 x 60 bytes of EEPROM at 3.4 ms each, and time to spare.
_SAVING_S = 2.0


@dataclass(frozen=True)
class BoardInfo:
    """What a board says it is."""

    port: Port
    kind: str
    firmware: str
    protocol: int
    capabilities: tuple[str, ...]
    reset_causes: tuple[str, ...]
    boots: int
    """Starts since power came on, the last one included."""
    settings_source: str
    """saved, empty or corrupt."""


def describe(port: Port, hello: messages.HelloReply) -> BoardInfo:
    """A handshake's reply in words."""
    return BoardInfo(
        port=port,
        kind=_name(messages.BoardKind, hello.board_kind),
        firmware=".".join(str(number) for number in hello.firmware_version),
        protocol=hello.protocol_version,
        capabilities=capability_names(hello.capabilities),
        reset_causes=reset_names(hello.reset_cause),
        boots=hello.boots,
        settings_source=_name(messages.SettingsSource, hello.settings_source),
    )


class Board:
    """A connected board. Use `Board.connect`, preferably in a with statement.

    Methods may be called from several threads; of two commands for the same thing the
    newer holds. The motors run only while something is sent at least every 300 ms.

    When the connection breaks it is made again in the background. Meanwhile commands
    raise LinkLostError at once; afterwards they work again, but nothing moves by itself.
    A chip that started anew must first be accepted with `rearm`.
    """

    def __init__(self, engine: Engine) -> None:
        """Of a connected engine; see `connect`."""
        self._engine = engine
        self._servo_targets: dict[str, float | None] = {}
        atexit.register(self.close)

    @classmethod
    def connect(
        cls,
        port: str = "auto",
        *,
        baudrate: int = messages.BAUDRATE,
        timeout_s: float = 2.0,
        reconnect: bool = True,
    ) -> Board:
        """Open `port` for this process alone and greet the board, motors off.

        Args:
            port: a path, or "auto": the only board that answers.
            baudrate: as compiled into the firmware.
            timeout_s: long because opening the port restarts an Arduino.
            reconnect: make the connection again when it breaks.

        Raises:
            PortNotFoundError, PortDeniedError, PortBusyError: the port.
            NoAnswerError, ProtocolMismatchError: what is behind it.
        """
        if port == "auto":
            port = find_board(baudrate)
        return cls(Engine(port, baudrate, timeout_s, reconnect))

    # ---- what it is, and how it is

    @property
    def hello(self) -> messages.HelloReply:
        """The newest handshake's."""
        return self._engine.hello

    @property
    def info(self) -> BoardInfo:
        """The same in words."""
        return describe(self._engine.port, self.hello)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know: a bad start, settings that are not there."""
        return self._engine.warnings()

    @property
    def status(self) -> ConnectionStatus:
        """How things stand between host and chip."""
        return self._engine.status

    @property
    def clock(self) -> ClockEstimate | None:
        """The chip's clock in the host's time; None in the first moments."""
        return self._engine.clock

    def statistics(self) -> LinkStatistics:
        """Counts of the link since connect, all reconnections together."""
        return LinkStatistics.of(self._engine.counters)

    def rearm(self) -> None:
        """After a restart: take the chip as it is, with counts that began at 0."""
        self._servo_targets.clear()
        self._engine.rearm()

    # ---- motion

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set wheel speeds in counts/s; gives what the chip holds after clamping.

        (0, 0) brakes to a standstill.

        Raises:
            LinkLostError, BoardRestartedError: the motors stop by themselves.
            BoardFaultError: the chip has switched them off until `clear_faults`.
            CommandSupersededError: another thread's command came after this one.
        """
        return self._engine.run(commands.drive(left, right))

    def stop(self) -> None:
        """Motors off at once; they coast. Goes before everything that waits.

        Raises:
            LinkLostError: the motors stop by themselves.
        """
        # A chip that has just started has its motors off already.
        with contextlib.suppress(BoardRestartedError):
            self._engine.run(commands.stop())

    def clear_faults(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """Clear these faults, or all; gives those whose cause is still there."""
        bits = ALL_FAULTS if names is None else fault_bits(tuple(names))
        return self._engine.run(commands.clear(bits))

    # ---- servos and light

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Move the named servos (pan, tilt, gripper; degrees); gives the targets that hold.

        Raises:
            BoardError: there is no such servo.
        """
        held = self._command_servos(dict(angles))
        return {name: angle for name in angles if (angle := held[name]) is not None}

    def release_servos(self, names: Iterable[str] | None = None) -> None:
        """Let the named ones, or all, go limp: no pulses."""
        self._command_servos(dict.fromkeys(SERVO_NAMES if names is None else names))

    def _command_servos(self, targets: Mapping[str, float | None]) -> dict[str, float | None]:
        unknown = sorted(set(targets) - set(SERVO_NAMES))
        if unknown:
            raise BoardError(
                expected=f"servos among {', '.join(SERVO_NAMES)}",
                found=", ".join(unknown),
                remedy="use these names",
            )
        # All that is wanted so far goes into each command: a lost older one is made good.
        self._servo_targets.update(targets)
        return self._engine.run(commands.servos(self._servo_targets))

    def set_light(self, color: str) -> None:
        """The RGB light: off, red, green, yellow, blue, magenta, cyan or white.

        Raises:
            BoardError: another color.
        """
        if color not in commands.COLORS:
            raise BoardError(
                expected=f"a color among {', '.join(commands.COLORS)}",
                found=color,
                remedy="use one of these",
            )
        self._engine.run(commands.light(color))

    # ---- state

    @property
    def state(self) -> BoardState | None:
        """The newest; None before the first."""
        return self._engine.state

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a state newer than `after` (by default: than now's).

        Raises:
            LinkLostError: the port broke, or the chip has fallen silent.
            BoardRestartedError: the chip has started again, motors off.
            StateTimeoutError: the chip answers, but sends no states.
        """
        engine = self._engine
        old = after if after is not None else engine.state

        def is_over() -> bool:
            is_up = engine.status is ConnectionStatus.CONNECTED and not engine.link.is_lost
            return not is_up or engine.state not in (None, old)

        with engine.news:
            engine.news.wait_for(is_over, timeout_s)
            state = engine.state
        engine.check()
        if state is not None and state is not old:
            return state
        # A chip that has started again sends no states, but asked it says why. And where
        # this process was held up, states come before the answer.
        engine.run(commands.get_health())
        if engine.state is not None and engine.state is not old:
            return engine.state
        raise StateTimeoutError(
            expected=f"a state from the board at {engine.port.device} within {timeout_s} s",
            found="silence",
            remedy="check the board's power, then connect again",
        )

    def read_state(self) -> BoardState:
        """Ask for the state now: one round trip."""
        if self._engine.state is None:
            self._engine.run(commands.get_health())
        self._engine.run(commands.get_state())
        return self._engine.state or self.wait_state()

    # ---- settings

    def read_settings(self) -> BoardSettings:
        """The settings that hold now."""
        run = self._engine.run
        return BoardSettings.from_messages(
            run(commands.get_drive_settings()), run(commands.get_servo_settings())
        )

    def write_settings(self, settings: BoardSettings) -> None:
        """Let these hold from now on; not after the next start, unless saved.

        Raises:
            SettingsError: a value outside the chip's range; nothing of its half is taken.
            CommandRefusedError: the motors are on.
        """
        for half in settings.to_messages():
            self._engine.run(commands.put_settings(half))

    def save_settings(self) -> None:
        """Write what holds now to EEPROM, and wait until it is there.

        Raises:
            SettingsError: it took too long.
        """
        self._engine.run(commands.save_settings())
        deadline = time.monotonic() + _SAVING_S
        while self.read_state().saving:
            if time.monotonic() > deadline:
                raise SettingsError(
                    expected=f"the settings in EEPROM within {_SAVING_S} s",
                    found="a chip that is still writing",
                    remedy="check the power supply, then save again",
                )
            time.sleep(0.01)

    def default_settings(self) -> None:
        """Let the built-in settings hold from now on; not saved."""
        self._engine.run(commands.default_settings())

    # ---- the end

    def close(self) -> None:
        """Stop the motors as well as the link allows, and free the port. Never raises."""
        atexit.unregister(self.close)
        self._engine.close()

    def __enter__(self) -> Board:
        """Itself, already connected."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()


def _name(kinds: type[messages.BoardKind] | type[messages.SettingsSource], value: int) -> str:
    return kinds(value).name.lower() if value in set(kinds) else f"unknown ({value})"
