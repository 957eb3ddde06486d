"""The robot's board over a serial line: protocol, link, board, firmware and emulator."""

from reflexarc.firmware_bridge.aio import AsyncBoard
from reflexarc.firmware_bridge.board import Board, BoardInfo
from reflexarc.firmware_bridge.clock_sync import ClockEstimate
from reflexarc.firmware_bridge.engine import ConnectionStatus
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardFaultError,
    BoardRestartedError,
    CommandRefusedError,
    CommandSupersededError,
    FlashError,
    LinkLostError,
    NoAnswerError,
    PortBusyError,
    PortDeniedError,
    PortNotFoundError,
    ProtocolMismatchError,
    SettingsError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.ports import Port, list_ports
from reflexarc.firmware_bridge.probe import Probe, find_board, probe_ports
from reflexarc.firmware_bridge.settings import BoardSettings, ServoSetting
from reflexarc.firmware_bridge.state import BoardState
from reflexarc.firmware_bridge.statistics import LinkStatistics

__all__ = [
    "AsyncBoard",
    "Board",
    "BoardError",
    "BoardFaultError",
    "BoardInfo",
    "BoardRestartedError",
    "BoardSettings",
    "BoardState",
    "ClockEstimate",
    "CommandRefusedError",
    "CommandSupersededError",
    "ConnectionStatus",
    "FlashError",
    "LinkLostError",
    "LinkStatistics",
    "NoAnswerError",
    "Port",
    "PortBusyError",
    "PortDeniedError",
    "PortNotFoundError",
    "Probe",
    "ProtocolMismatchError",
    "ServoSetting",
    "SettingsError",
    "StateTimeoutError",
    "find_board",
    "list_ports",
    "probe_ports",
]
