"""What can go wrong between host and board, each with its remedy."""

from __future__ import annotations

from reflexarc.core import ReflexarcError


class BoardError(ReflexarcError):
    """Any trouble with the board or the way to it."""


class PortNotFoundError(BoardError):
    """There is no such serial port."""


class PortDeniedError(BoardError):
    """The port is there, but this user may not open it."""


class PortBusyError(BoardError):
    """Another program has the port."""


class NoAnswerError(BoardError):
    """The port opened, and no board of ours answered."""


class ProtocolMismatchError(BoardError):
    """Host and firmware speak different versions or schemas."""


class LinkLostError(BoardError):
    """The connection broke while it was in use."""


class BoardRestartedError(LinkLostError):
    """The chip started again in mid-session: its counts began again at 0."""


class StateTimeoutError(BoardError):
    """No newer state came in time, though the port is still there."""


class CommandRefusedError(BoardError):
    """The chip understood the frame and said no."""


class CommandSupersededError(BoardError):
    """A newer command for the same thing was sent before this one was acknowledged."""


class BoardFaultError(CommandRefusedError):
    """The chip has switched the motors off for a reason that must be cleared."""


class SettingsError(BoardError):
    """Settings that the chip does not take, or did not keep."""


class FlashError(BoardError):
    """The firmware could not be written to the chip."""
