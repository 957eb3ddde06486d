"""Settings of a servo bus, and one explanation for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reflexarc.firmware_bridge.drivers.errors import DriverConfigError

DEFAULT_LIMITS_DEG = (-90.0, 90.0)
DEFAULT_SPEED_DPS = 120.0
# 127 units of 20 ms is the most that a Dynamixel's Bus Watchdog can count.
MAX_WATCHDOG_S = 2.54

Angle = Annotated[float, Field(ge=-180, le=180)]
ServoId = Annotated[int, Field(ge=0, le=252)]
Speed = Annotated[float, Field(gt=0, le=600)]
_Model = TypeVar("_Model", bound=BaseModel)


class BusConfig(BaseModel):
    """Bus servos: where they are, and how each may move. Keys of the tables are names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: str = Field(description="serial port of the servo adapter")
    baudrate: int | None = Field(None, gt=0, description="the family's factory setting if left out")
    ids: dict[str, ServoId] = Field(min_length=1, description="servo numbers, by name")
    limits_deg: dict[str, tuple[Angle, Angle]] = Field(
        {}, description="lowest and highest angle; -90 and 90 if left out"
    )
    trim_deg: dict[str, Angle] = Field({}, description="added to every angle; 0 if left out")
    speed_dps: dict[str, Speed] = Field({}, description="highest speed; 120 if left out")
    reversed: tuple[str, ...] = Field((), description="names of servos that turn the other way")
    watchdog_s: float | None = Field(
        None,
        ge=0.02,
        le=MAX_WATCHDOG_S,
        description="Dynamixel only: a move stops when the bus is silent for so long; 1 s if "
        "left out",
    )
    reply_timeout_s: float = Field(
        0.035,
        gt=0,
        le=1,
        description="how long a reply may take; covers two latency timers (16 ms) of a USB adapter",
    )

    @model_validator(mode="after")
    def _check_names(self) -> BusConfig:
        if len(set(self.ids.values())) < len(self.ids):
            raise ValueError("each servo to have an id of its own")
        for table in ("limits_deg", "trim_deg", "speed_dps", "reversed"):
            for name in getattr(self, table):
                if name not in self.ids:
                    raise ValueError(f"names out of ids ({', '.join(self.ids)}) in {table}")
        for name, (low, high) in self.limits_deg.items():
            if low >= high:
                raise ValueError(f"limits_deg.{name} to have the lower angle first")
        return self


def parse_config(model: type[_Model], config: Mapping[str, Any], driver: str) -> _Model:
    """Check `config` against `model`.

    Raises:
        DriverConfigError: an unknown key (with the nearest valid name), a missing
            one, or a wrong value.
    """
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    valid = list(model.model_fields)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(where, valid, n=1, cutoff=0.5)
        raise DriverConfigError(
            expected=f"settings of {driver}: {', '.join(valid)}",
            found=f"unknown key {where}",
            remedy=f"did you mean {near[0]}?" if near else "remove it",
        )
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    raise DriverConfigError(
        expected=f"{where}: {message}" if where else message,
        found="no such key" if first["type"] == "missing" else repr(first["input"]),
        remedy=f"change the settings of {driver}",
    )
