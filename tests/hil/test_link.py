"""The conversation with any board: greeting, states, clock, garbage, a second program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rig import Rig

from reflexarc.firmware_bridge import Board, NoAnswerError, PortBusyError
from reflexarc.firmware_bridge.protocol import messages


def test_a_board_says_what_it_is(driver: Board) -> None:
    assert driver.hello.protocol_version == messages.PROTOCOL_VERSION
    assert driver.hello.schema_hash == messages.SCHEMA_HASH
    assert "drive" in driver.info.capabilities
    assert driver.hello.receive_buffer >= 64


def test_states_come_a_hundred_times_a_second_by_the_chip_s_clock(driver: Board) -> None:
    first = state = driver.wait_state()
    for _ in range(100):
        state = driver.wait_state(after=state)
    missed = driver.statistics().states_missed
    assert (state.chip_us - first.chip_us) / (100 + missed) == pytest.approx(10_000, rel=0.01)


def test_an_asked_state_is_the_newest_measurement(rig: Rig, driver: Board) -> None:
    states = []
    for _ in range(20):
        states += [driver.read_state(), driver.read_state()]
        rig.wait(0.02)
    times = [state.chip_us for state in states]
    assert times == sorted(times)
    # The chip measures a hundred times a second.
    assert len(set(times)) >= 20


def test_a_second_program_is_told_that_the_port_is_taken(rig: Rig, driver: Board) -> None:
    with pytest.raises(PortBusyError, match="another program"):
        Board.connect(rig.port)
    assert driver.read_state()


def test_another_baud_rate_is_named(rig: Rig) -> None:
    with pytest.raises(NoAnswerError, match="baud rate"):
        Board.connect(rig.port, baudrate=230_400, timeout_s=1.0)
    assert rig.connect().read_state()


def test_garbage_on_the_line_does_no_harm(rig: Rig) -> None:
    with Path(rig.port).open("wb", buffering=0) as line:
        for _ in range(20):
            line.write(os.urandom(500))
    board = rig.connect()
    assert board.drive(0, 0) == (0, 0)
    assert not board.read_state().faults


def test_the_clock_is_known_to_a_bound_that_holds(rig: Rig, driver: Board) -> None:
    rig.keep(driver, lambda: None, 2.0)
    delays_ns = []
    for state in rig.keep(driver, lambda: None, 0.5):
        # Measured before it arrived.
        assert state.measured_ns - driver.clock.error_ns < state.stamp_ns
        delays_ns.append(state.stamp_ns - state.measured_ns)
    # And not long before; a busy host takes single ones late.
    assert min(delays_ns) < 5_000_000
    rig.keep_until(driver, lambda: driver.clock.error_ns < 2_000_000, 10.0)


def test_settings_go_there_and_back(driver: Board) -> None:
    before = driver.read_settings()
    driver.write_settings(before)
    assert driver.read_settings() == before
