"""The chip's settings in a person's units, and as the two messages they travel in."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.state import SERVO_NAMES

_GAIN = 1 << 12


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServoSetting(_Section):
    """One servo: pulse = 1500 us + trim + angle * scale / 90 degrees."""

    lowest_deg: float = Field(ge=-180, le=180)
    highest_deg: float = Field(ge=-180, le=180)
    trim_us: int = Field(0, ge=-500, le=500)
    scale_us: int = Field(1000, ge=-2000, le=2000, description="for 90 degrees; negative: reversed")
    speed_deg_s: int = Field(ge=1, le=2000, description="slew limit")


class BoardSettings(_Section):
    """Everything that EEPROM keeps. Speeds are counts/s, duty is in 1/255."""

    counts_per_revolution: int = Field(ge=4, le=65535)
    wheel_diameter_mm: float = Field(gt=0, le=655, description="kept for the host, to 0.01")
    wheel_separation_mm: float = Field(gt=0, le=6553, description="kept for the host, to 0.1")
    feed_forward: float = Field(ge=0, lt=16)
    proportional: float = Field(ge=0, lt=16)
    integral: float = Field(ge=0, lt=16)
    max_speed: int = Field(ge=1, le=messages.MAX_SPEED)
    battery_cut_v: float = Field(ge=0, le=65)
    battery_full_scale_v: float = Field(gt=0, le=65)
    left_motor_reversed: bool = False
    right_motor_reversed: bool = False
    left_encoder_reversed: bool = False
    right_encoder_reversed: bool = False
    emergency_stop_fitted: bool = True
    servos: dict[str, ServoSetting]

    def to_messages(self) -> tuple[messages.DriveSettings, messages.ServoSettings]:
        """For the wire."""
        servos = [self.servos[name] for name in SERVO_NAMES]
        return (
            messages.DriveSettings(
                counts_per_revolution=self.counts_per_revolution,
                wheel_diameter=round(self.wheel_diameter_mm * 100),
                wheel_separation=round(self.wheel_separation_mm * 10),
                feed_forward=round(self.feed_forward * _GAIN),
                proportional=round(self.proportional * _GAIN),
                integral=round(self.integral * _GAIN),
                max_speed=self.max_speed,
                battery_cut_mv=round(self.battery_cut_v * 1000),
                battery_full_scale_mv=round(self.battery_full_scale_v * 1000),
                options=sum(bit for name, bit in _OPTIONS.items() if getattr(self, name)),
            ),
            messages.ServoSettings(
                lowest=_three([round(s.lowest_deg * 10) for s in servos]),
                highest=_three([round(s.highest_deg * 10) for s in servos]),
                trim=_three([s.trim_us for s in servos]),
                scale=_three([s.scale_us for s in servos]),
                speed=_three([s.speed_deg_s for s in servos]),
            ),
        )

    @classmethod
    def from_messages(
        cls, drive: messages.DriveSettings, servos: messages.ServoSettings
    ) -> BoardSettings:
        """From the wire."""
        return cls(
            counts_per_revolution=drive.counts_per_revolution,
            wheel_diameter_mm=drive.wheel_diameter / 100,
            wheel_separation_mm=drive.wheel_separation / 10,
            feed_forward=drive.feed_forward / _GAIN,
            proportional=drive.proportional / _GAIN,
            integral=drive.integral / _GAIN,
            max_speed=drive.max_speed,
            battery_cut_v=drive.battery_cut_mv / 1000,
            battery_full_scale_v=drive.battery_full_scale_mv / 1000,
            **{name: bool(drive.options & bit) for name, bit in _OPTIONS.items()},
            servos={
                name: ServoSetting(
                    lowest_deg=servos.lowest[i] / 10,
                    highest_deg=servos.highest[i] / 10,
                    trim_us=servos.trim[i],
                    scale_us=servos.scale[i],
                    speed_deg_s=servos.speed[i],
                )
                for i, name in enumerate(SERVO_NAMES)
            },
        )


_OPTIONS = {
    "left_motor_reversed": messages.SETTING_LEFT_MOTOR_REVERSED,
    "right_motor_reversed": messages.SETTING_RIGHT_MOTOR_REVERSED,
    "left_encoder_reversed": messages.SETTING_LEFT_ENCODER_REVERSED,
    "right_encoder_reversed": messages.SETTING_RIGHT_ENCODER_REVERSED,
    "emergency_stop_fitted": messages.SETTING_EMERGENCY_STOP_FITTED,
}


def _three(values: list[int]) -> tuple[int, int, int]:
    pan, tilt, gripper = values
    return pan, tilt, gripper
