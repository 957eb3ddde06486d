"""robot.yaml: all that a user edits, checked before anything moves."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.drivers.bus_config import BusConfig
from reflexarc.robot.actions import When

# Hard maxima: no file can lift them. A 65 mm wheel at full duty reaches 0.8 m/s.
MAX_SPEED_MPS = 0.8
MAX_ACCELERATION_MPS2 = 3.0
MAX_STALE_S = 2.0


class ConfigError(ReflexarcError):
    """A robot.yaml that cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BoardConfig(_Section):
    """Which board, and where it is."""

    driver: str = Field(
        "rover", description="rover, sim, or one that another package brings (reflexarc.boards)"
    )
    port: str = Field("auto", description="serial port, or auto: the only board that answers")
    baudrate: int = Field(500_000, gt=0)
    options: dict[str, Any] = Field({}, description="what else that driver wants to know")

    def settings(self) -> dict[str, Any]:
        """For `open_driver`: what the file says, the driver's name left out."""
        return _settings(self)


class ServosConfig(BusConfig):
    """Servos on a bus of their own, in place of the board's."""

    driver: str = Field(
        description="feetech, dynamixel, or one that another package brings (reflexarc.boards)"
    )
    options: dict[str, Any] = Field({}, description="what else that driver wants to know")

    def settings(self) -> dict[str, Any]:
        """For `open_driver`: what the file says, the driver's name left out."""
        return _settings(self)


def _settings(section: BoardConfig | ServosConfig) -> dict[str, Any]:
    written = section.model_dump(exclude_unset=True, exclude={"driver", "options"})
    return written | section.options


class Geometry(_Section):
    """The rover's measures, in metres."""

    wheel_diameter_m: Positive = 0.065
    wheel_separation_m: Positive = 0.15
    counts_per_revolution: Annotated[int, Field(gt=0)] = 1440

    @property
    def counts_per_m(self) -> float:
        """Encoder counts per metre that a wheel rolls."""
        return self.counts_per_revolution / (math.pi * self.wheel_diameter_m)


class Limits(_Section):
    """What the gate lets through. The upper bounds are the hard maxima."""

    speed_mps: float = Field(0.4, gt=0, le=MAX_SPEED_MPS, description="of each wheel")
    acceleration_mps2: float = Field(1.0, gt=0, le=MAX_ACCELERATION_MPS2, description="each wheel")
    frame_stale_s: float = Field(
        1.0, gt=0, le=MAX_STALE_S, description="reflexes stop moving without a new frame"
    )
    command_stale_s: float = Field(
        0.2, gt=0, le=MAX_STALE_S, description="motors stop without a new command"
    )
    battery_min_v: float = Field(6.4, ge=6.0, le=12.0, description="below it nothing moves")


class PerceptionConfig(_Section):
    """What the robot looks with."""

    source: str = Field("", description="camera, picture folder or video")
    task: str = "digits"
    model: str | None = Field(None, description="model file; the packaged one if left out")
    options: dict[str, Any] = Field({}, description="of the task, by name")


class Reflex(When):
    """A `when` with a name and its timing."""

    name: str = Field("", description="for the log; made from event and value if empty")
    hold_s: float = Field(0.1, ge=0, le=10, description="the event must last this long")
    cooldown_s: float = Field(1.0, ge=0, le=3600, description="then it rests this long")

    @property
    def title(self) -> str:
        """The name, or one made from event and value."""
        return self.name or f"{self.event} {self.value}"


class RobotConfig(_Section):
    """The whole file."""

    name: str = "rover"
    board: BoardConfig = BoardConfig()
    servos: ServosConfig | None = Field(None, description="left out: the board's own servos")
    geometry: Geometry = Geometry()
    limits: Limits = Limits()
    perception: PerceptionConfig = PerceptionConfig()
    reflexes: tuple[Reflex, ...] = ()


def load_config(path: Path) -> RobotConfig:
    """Read and check a robot.yaml.

    Raises:
        ConfigError: no such file, not YAML, an unknown key (with the nearest
            valid name), a value of the wrong type or beyond its limit.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            expected="a robot.yaml", found=f"{path}: {error}", remedy="check the path"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            expected="YAML",
            found=f"{path}: {' '.join(str(error).split())}",
            remedy="mend the line it names",
        ) from error
    try:
        return RobotConfig.model_validate({} if data is None else data)
    except ValidationError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: ValidationError) -> ConfigError:
    """Turn pydantic's first complaint into expected, found, remedy."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        valid = _valid_keys(first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), valid, n=1, cutoff=0.5)
        return ConfigError(
            expected=f"one of {', '.join(valid)}" if valid else "a known key",
            found=f"unknown key {where} in {path}",
            remedy=f"did you mean {near[0]}?" if near else "remove it",
        )
    return ConfigError(
        expected=f"{where}: "
        f"{first['msg'].removeprefix('Value error, ').removeprefix('Input should be ')}",
        found=f"{first['input']!r} in {path}",
        remedy="change it; the upper limits are hard maxima that no file can lift"
        if first["type"].startswith("less_than")
        else "change it",
    )


def _valid_keys(location: tuple[int | str, ...]) -> list[str]:
    """Names that are allowed at a place in the file."""
    models: list[type[BaseModel]] = [RobotConfig]
    for part in location:
        if isinstance(part, int):
            continue
        # pydantic names the member of a tagged union by its tag: "move" for Move
        tagged = [
            m for m in models if "do" in m.model_fields and m.model_fields["do"].default == part
        ]
        models = tagged or [
            inner
            for model in models
            if part in model.model_fields
            for inner in _models_in(model.model_fields[part].annotation)
        ]
    return [name for model in models[:1] for name in model.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every pydantic model inside a type like ``tuple[A | B, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
