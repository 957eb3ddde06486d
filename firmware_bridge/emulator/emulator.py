"""Starting, steering and ending the emulator's program."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.build import FirmwareImage, build_emulator, build_firmware
from reflexarc.firmware_bridge.emulator.records import (
    CPU_HZ,
    EmulatorStatus,
    Exchange,
    HostFrame,
    MotorChange,
    PinEdge,
    Trace,
)

_START_TIMEOUT_S = 20.0
_ANSWER_TIMEOUT_S = 10.0
_END_TIMEOUT_S = 2.0


class EmulatorError(ReflexarcError):
    """The emulator did not start, or is gone."""


@dataclass(frozen=True)
class WheelModel:
    """A DC motor with a wheel and no load."""

    no_load_speed: float = 5500.0
    """Counts/s at full duty."""
    time_constant_s: float = 0.06
    friction: float = 0.03
    """The duty (0..1) that just starts to move it."""


class EmulatedBoard:
    """A running board; a context manager.

    What changes its surroundings gives the cycle at which it happened.

    Args:
        firmware: an ELF file or what `build_firmware` gave; None builds the default.
        speed: emulated seconds per second; 0 runs as fast as it can.
        wheel: both wheels' parameters.
        battery_v: at the board's terminals.
        link_path: where the port shall appear; None for a private temporary path.
        eeprom: a file with the chip's EEPROM, loaded where it is there and written when
            the chip changes it; None forgets it.
        vcd: a file for all pins' edges, to be seen with GTKWave; complete after `close`.

    Raises:
        EmulatorError: it did not start.
        ToolMissingError, BuildFailedError: as `build_firmware` and `build_emulator`.
    """

    def __init__(
        self,
        firmware: FirmwareImage | Path | None = None,
        *,
        speed: float = 1.0,
        wheel: WheelModel | None = None,
        battery_v: float = 7.4,
        link_path: Path | str | None = None,
        eeprom: Path | str | None = None,
        vcd: Path | str | None = None,
    ) -> None:
        wheel = wheel or WheelModel()
        if firmware is None:
            firmware = build_firmware()
        program = build_emulator()
        elf = firmware.elf if isinstance(firmware, FirmwareImage) else firmware
        # Not below a test's own folder: a socket's path may have 107 bytes only.
        self._folder = Path(tempfile.mkdtemp(prefix="reflexarc-emulator-"))
        # A file without a name: nothing to tidy up after a killed Python.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.port = str(link_path if link_path is not None else self._folder / "tty")
        """Path of the serial port, for `Board.connect`."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process = subprocess.Popen(
            [
                str(program),
                f"--firmware={elf}",
                f"--link={self.port}",
                f"--control={self._folder / 'control'}",
                f"--parent={os.getpid()}",
                f"--speed={speed}",
                f"--battery-mv={round(battery_v * 1000)}",
                f"--no-load-speed={wheel.no_load_speed}",
                f"--time-constant={wheel.time_constant_s}",
                f"--friction={wheel.friction}",
                *([] if eeprom is None else [f"--eeprom={eeprom}"]),
                *([] if vcd is None else [f"--vcd={vcd}"]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        # Also at garbage collection and at the interpreter's end.
        self._end = weakref.finalize(self, _end, self._process, self._folder, self._log)
        try:
            self._socket = self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while b"ready" not in self._words():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise self._error("to start")
            time.sleep(0.002)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_ANSWER_TIMEOUT_S)
        connection.connect(str(self._folder / "control"))
        return connection

    def _words(self) -> bytes:
        """What the program has printed; b"" after close."""
        return b"" if self._log.closed else os.pread(self._log.fileno(), 65536, 0)

    def _error(self, what: str) -> EmulatorError:
        words = self._words().decode(errors="replace").split()
        return EmulatorError(
            expected=f"the emulated board {what}",
            found=" ".join(words[-30:]) or f"exit code {self._process.poll()}",
            remedy="check that the firmware is an ELF file for the ATmega328P and that the "
            "port's folder is writable",
        )

    # ---- the chip and its surroundings

    def status(self) -> EmulatorStatus:
        """This moment, from outside the chip."""
        return EmulatorStatus.from_json(self._command("status"))

    def trace(self) -> Trace:
        """Motor changes, host frames and watched pins' edges since the last call."""
        motor: list[MotorChange] = []
        frames: list[HostFrame] = []
        pins: list[PinEdge] = []
        while True:
            page = self._command("trace")
            motor += [MotorChange(*event) for event in page["motor"]]
            frames += [HostFrame(*event) for event in page["frame"]]
            pins += [PinEdge(*event) for event in page["pin"]]
            if not page["more"]:
                return Trace(motor, frames, pins, page["lost"])

    def watch(self, pin: str) -> int:
        """Take this pin's edges into the trace from now on: "B1"."""
        return self._act(f"watch {pin}")

    def wait(self, seconds: float) -> EmulatorStatus:
        """Let emulated time pass; gives the status at its end."""
        status = self.status()
        end = status.cycle + round(seconds * CPU_HZ)
        while status.cycle < end and status.alive:
            time.sleep(0.001)
            status = self.status()
        return status

    def reset(self) -> int:
        """Pull the chip's reset pin. The wheels roll on."""
        return self._act("reset")

    def brown_out(self, seconds: float) -> int:
        """The supply breaks down for that long: the chip is in reset, its RAM forgets."""
        return self._act(f"brown_out {round(seconds * CPU_HZ)}")

    def set_battery(self, volts: float) -> int:
        """The battery's voltage from now on."""
        return self._act(f"battery {round(volts * 1000)}")

    def set_range(self, mm: int | None) -> int:
        """The distance the range sensor answers with; None: it stays silent."""
        return self._act(f"range {mm or 0}")

    def press_bump(self, pressed: bool) -> int:
        """The bump switch."""
        return self._act(f"bump {int(pressed)}")

    def open_emergency_stop(self, opened: bool) -> int:
        """The emergency stop: opened is pressed, or its wire is broken."""
        return self._act(f"emergency_stop {int(opened)}")

    def unplug_encoder(
        self, wheel: int, channel: Literal["both", "a", "b"] = "both", unplugged: bool = True
    ) -> int:
        """Pull an encoder's wire: the channel reads high for ever. 0 is left."""
        channels = {"a": 1, "b": 2, "both": 3}[channel] if unplugged else 0
        return self._act(f"encoder {wheel} {channels}")

    def jam_wheel(self, wheel: int, jammed: bool) -> int:
        """Hold a wheel of the built-in model. 0 is left."""
        return self._act(f"jam {wheel} {int(jammed)}")

    def swap_motor(self, wheel: int, swapped: bool) -> int:
        """Swap the motor's two wires: it turns against its drive. 0 is left."""
        return self._act(f"swap {wheel} {int(swapped)}")

    # ---- the cable

    def unplug(self) -> int:
        """Pull the serial cable: the host gets a hang-up, the chip hears nothing."""
        return self._act("unplug")

    def replug(self) -> int:
        """Put it back, at the same path."""
        return self._act("replug")

    def faults(
        self, *, flip_ppm: int = 0, drop_ppm: int = 0, duplicate_ppm: int = 0, seed: int = 1
    ) -> int:
        """Break bytes from now on, both ways: parts per million of them with one bit
        flipped, lost, and doubled. The same seed gives the same faults."""
        return self._act(f"faults {flip_ppm} {drop_ppm} {duplicate_ppm} {seed}")

    def stall_line(self, seconds: float) -> int:
        """Nothing passes for that long, either way; then everything does."""
        return self._act(f"stall {round(seconds * CPU_HZ)}")

    def inject(self, data: bytes) -> int:
        """Bytes to the chip, as if from the host. At most 16,000."""
        return self._act(f"inject {data.hex()}")

    def inject_host(self, data: bytes) -> int:
        """Bytes to the host, as if from the chip. At most 16,000."""
        return self._act(f"inject_host {data.hex()}")

    # ---- a body outside

    def exchange(self, left: float, right: float) -> Exchange:
        """Be the body: set the wheels' speeds (counts/s) and take the motors' drive.

        The first call switches the built-in wheel model off.
        """
        return _exchange(self._command(f"exchange {left} {right}"))

    def advance(self, seconds: float, left: float, right: float) -> Exchange:
        """Be the body and lead: as `exchange`, then let just that much emulated time pass.

        From the first call on the chip runs in lock-step: no cycle passes but in such
        steps. Meanwhile everything else is still answered, and what the host writes waits
        for the next step. Over many steps the cycles add up exactly; one may end a few
        cycles late, with the instruction that was running.

        Args:
            seconds: of emulated time; paced by the speed the emulator was started with.
            left, right: the wheels' speeds during the step, counts/s.

        Returns:
            The step's end, and the mean drive during it.

        Raises:
            EmulatorError: it is gone, or another client's step is under way.
        """
        return _exchange(self._command(f"advance {round(seconds * CPU_HZ)} {left} {right}"))

    def release(self) -> int:
        """Let emulated time pass by itself again, after `advance`."""
        return self._act("release")

    def _act(self, line: str) -> int:
        cycle: int = self._command(line)["cycle"]
        return cycle

    def _command(self, line: str) -> dict[str, Any]:
        with self._lock:
            if self._socket is None:
                raise self._error("to be running, but it was closed")
            try:
                self._socket.sendall(line.encode() + b"\n")
                reply = b""
                while not reply.endswith(b"\n"):
                    piece = self._socket.recv(65536)
                    if not piece:
                        raise ConnectionError("closed")
                    reply += piece
            except OSError as error:
                raise self._error("to be running") from error
        values: dict[str, Any] = json.loads(reply)
        if "error" in values:
            raise self._error(f"to obey {line!r} ({values['error']})")
        return values

    # ---- the end

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    def close(self) -> None:
        """End the program and remove its files. May be called again."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
        self._end()

    def __enter__(self) -> EmulatedBoard:
        """Itself, already running."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()


def _exchange(values: dict[str, Any]) -> Exchange:
    return Exchange(
        values["cycle"],
        tuple(values["drive"]),
        tuple(values["encoder"]),
        tuple(values["position"]),
    )


def _end(process: subprocess.Popen[bytes], folder: Path, log: IO[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    log.close()
    shutil.rmtree(folder, ignore_errors=True)
