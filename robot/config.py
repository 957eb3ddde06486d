"""robot.yaml: all that a user edits, checked before anything moves."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.drivers.bus_config import BusConfig
from reflexarc.robot.actions import PAN_DEG, TILT_DEG
from reflexarc.robot.reflexes.rule import Reflex

# Hard maxima: no file can lift them. A 65 mm wheel at full duty reaches 0.8 m/s.
MAX_SPEED_MPS = 0.8
MAX_ACCELERATION_MPS2 = 3.0
MAX_STALE_S = 2.0
MAX_LEG_M = 20.0
MAX_LEG_DEG = 3600.0
MAX_LEG_S = 600.0
MAX_SERVO_DEG = 135.0

ServoName = Literal["pan", "tilt", "gripper"]
# The gripper's is what the firmware's own settings allow.
SERVOS_DEG: dict[ServoName, tuple[float, float]] = {
    "pan": PAN_DEG,
    "tilt": TILT_DEG,
    "gripper": (0.0, 45.0),
}


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


class CameraMount(_Section):
    """How the camera looks at the world; it looks ahead when the head looks straight."""

    horizontal_fov_deg: float = Field(
        62.2, gt=10, lt=170, description="field of view; 62.2 is the Raspberry Pi camera 2's"
    )


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
    obstacle_m: float = Field(
        0.15, ge=0.05, le=1.0, description="forward driving ends this far before an obstacle"
    )
    distance_m: float = Field(
        6.0, gt=0, le=MAX_LEG_M, description="driven without a rest between; then it stops"
    )
    angle_deg: float = Field(
        900.0, gt=0, le=MAX_LEG_DEG, description="turned without a rest between; then it stops"
    )
    duration_s: float = Field(
        120.0, gt=0, le=MAX_LEG_S, description="of moving without a rest; then it stops"
    )
    servos_deg: dict[ServoName, tuple[float, float]] = Field(
        SERVOS_DEG, description="lowest and highest angle of each servo; of those left out as here"
    )
    servo_commands_per_s: float = Field(50.0, gt=0, le=100, description="more are left out")

    def servo_range(self, name: str) -> tuple[float, float]:
        """Lowest and highest angle of a servo."""
        return self.servos_deg[name]  # type: ignore[index]

    @field_validator("servos_deg")
    @classmethod
    def _within_the_hardware(
        cls, limits: dict[ServoName, tuple[float, float]]
    ) -> dict[ServoName, tuple[float, float]]:
        for name, (low, high) in limits.items():
            if not -MAX_SERVO_DEG <= low <= high <= MAX_SERVO_DEG:
                raise ValueError(
                    f"{name}: two angles from -{MAX_SERVO_DEG:g} to {MAX_SERVO_DEG:g}, "
                    "the lower one first"
                )
        return {**SERVOS_DEG, **limits}


class TaskConfig(_Section):
    """A task of perception, and how often it looks."""

    model: str | None = Field(None, description="model file; the packaged one if left out")
    device: str = Field("auto", description="auto, cpu, edgetpu or a backend's name")
    every_n: int = Field(1, ge=1, le=1000, description="look at every n-th frame only")
    max_ms: float | None = Field(
        None, gt=0, description="slower than this, it skips frames so as to keep its share"
    )
    options: dict[str, Any] = Field({}, description="of the task, by name")


class PerceptionConfig(_Section):
    """What the robot looks with. Tasks that rules or orders need are opened by themselves."""

    source: str = Field("", description="camera, picture folder or video")
    camera: dict[str, Any] = Field({}, description="options of the camera, by name")
    tasks: dict[str, TaskConfig] = Field({}, description="by name; how each is set up")


class AuditConfig(_Section):
    """Where the log of all decisions is kept."""

    path: str = Field("", description="a file; in the user's state folder if left out")
    enabled: bool = True


Confirm = Literal["never", "risky", "always"]


class LanguageConfig(_Section):
    """How orders are understood and confirmed."""

    planners: tuple[str, ...] = Field(
        ("parser",), description="asked in this order: parser, llm, local"
    )
    confirm: Confirm = Field("risky", description="ask before a plan is done: never, risky, always")
    llm: dict[str, Any] = Field({}, description="base_url, model, ... of the planner llm")
    local: dict[str, Any] = Field({}, description="model, ... of the planner local")


class RobotConfig(_Section):
    """The whole file."""

    name: str = "rover"
    board: BoardConfig = BoardConfig()
    servos: ServosConfig | None = Field(None, description="left out: the board's own servos")
    geometry: Geometry = Geometry()
    limits: Limits = Limits()
    camera: CameraMount = CameraMount()
    audit: AuditConfig = AuditConfig()
    language: LanguageConfig = LanguageConfig()
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
