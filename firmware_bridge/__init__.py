"""The robot's board over a serial line: protocol, link, board, firmware and emulator."""

from reflexarc.firmware_bridge.board import Board, BoardState
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardRestartedError,
    CommandRefusedError,
    CommandSupersededError,
    LinkLostError,
    NoAnswerError,
    PortBusyError,
    PortDeniedError,
    PortNotFoundError,
    ProtocolMismatchError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.link import LinkStatistics
from reflexarc.firmware_bridge.ports import Port, find_port, list_ports

__all__ = [
    "Board",
    "BoardError",
    "BoardRestartedError",
    "BoardState",
    "CommandRefusedError",
    "CommandSupersededError",
    "LinkLostError",
    "LinkStatistics",
    "NoAnswerError",
    "Port",
    "PortBusyError",
    "PortDeniedError",
    "PortNotFoundError",
    "ProtocolMismatchError",
    "StateTimeoutError",
    "find_port",
    "list_ports",
]
