"""What can go wrong with a board driver or a servo, each with its remedy."""

from __future__ import annotations

from reflexarc.firmware_bridge.errors import BoardError


class DriverConfigError(BoardError):
    """A driver's settings that cannot be used."""


class ServoError(BoardError):
    """A servo that does not do what it was told. All servos of its bus were released."""


class ServoMissingError(ServoError):
    """A servo that does not answer."""


class ServoFaultError(ServoError):
    """A servo that reports trouble of its own: overload, overheating, voltage."""
