"""The host's board against the real firmware on the emulated chip."""

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from reflexarc.firmware_bridge import (
    Board,
    BoardRestartedError,
    CommandSupersededError,
    LinkLostError,
)
from reflexarc.firmware_bridge.emulator import CPU_HZ, Emulator
from reflexarc.firmware_bridge.link import Link
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

KeepDriving = Callable[[int, int, float], None]


def test_hello(board: Board) -> None:
    assert board.hello.protocol_version == messages.PROTOCOL_VERSION
    assert board.hello.capabilities & messages.CAPABILITY_DRIVE
    assert board.hello.reset_cause == messages.RESET_POWER_ON
    assert board.hello.boots == 1


def test_motors_are_off_at_first(emulator: Emulator, board: Board) -> None:
    assert not board.wait_state().motors_on
    assert emulator.status().last_edge_cycle == (0, 0)


@pytest.mark.parametrize("target", [(3000, 3000), (-2000, 4000), (600, -600)])
def test_drive_reaches_the_set_speed(
    emulator: Emulator, board: Board, target: tuple[int, int]
) -> None:
    near = (pytest.approx(target[0], rel=0.05), pytest.approx(target[1], rel=0.05))
    held, status = 0, emulator.status()
    while held < 20:  # A host that is late loses the motors: then from the start.
        board.drive(*target)
        measured = board.wait_state().speed
        status = emulator.status()
        held = held + 1 if status.speed == near == measured else 0
        assert status.seconds < 20, f"{status.speed}, by the chip {measured}"
    assert (status.encoder[0] > 0, status.encoder[1] > 0) == (target[0] > 0, target[1] > 0)


def test_the_chip_counts_every_edge(
    emulator: Emulator, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(5000, -5000, 0.5)
    board.stop()
    true = emulator.wait(1.0).encoder
    assert board.wait_state().encoder == true
    assert true[0] > 1000 and true[1] < -1000


def test_drive_tells_what_was_applied(board: Board) -> None:
    limit = messages.MAX_SPEED
    assert board.drive(1234, -1234) == (1234, -1234)
    assert board.drive(limit + 1, -9_999) == (limit, -limit)
    assert board.drive(10**9, -(10**9)) == (limit, -limit)


def test_a_drive_is_on_the_pins_within_one_control_period(emulator: Emulator, board: Board) -> None:
    emulator.trace()
    board.drive(3000, 3000)
    emulator.wait(0.05)
    trace = emulator.trace()
    first = min(change.cycle for change in trace.motor if change.duty > 0)
    assert 0 < first - trace.frames[0].end_cycle < 0.010 * CPU_HZ


def test_drive_zero_is_a_controlled_stop(
    emulator: Emulator, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(4000, 4000, 0.5)
    emulator.trace()
    keep_driving(0, 0, 0.5)
    assert any(change.duty < 0 for change in emulator.trace().motor), "it did not brake"
    assert emulator.status().duty == (0, 0)
    assert emulator.status().speed == (0, 0)
    assert board.wait_state().motors_on


def test_stop_switches_off_at_once(
    emulator: Emulator, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(4000, 4000, 0.5)
    board.stop()
    status = emulator.wait(0.1)
    assert status.duty == (0, 0)
    assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.002 * CPU_HZ
    assert not board.wait_state().motors_on


def test_full_duty_is_full_drive(board: Board, emulator: Emulator) -> None:
    emulator.exchange(0, 0)  # a body that holds the wheels
    for _ in range(40):
        board.drive(5000, -5000)
        emulator.wait(0.02)
    assert emulator.status().duty == (255, -255)
    assert emulator.exchange(0, 0).drive[0] > 0.7
    assert board.wait_state().saturated


def test_states_come_a_hundred_times_a_second(emulator: Emulator) -> None:
    frames: list[Frame] = []
    link = Link(emulator.port, messages.BAUDRATE, on_frame=lambda frame, _: frames.append(frame))
    link.request(MessageType.HELLO, tries=100)
    emulator.wait(0.5)
    link.close()
    assert len(frames) > 10
    for before, after in itertools.pairwise(frames):
        states = (after.seq - before.seq) & 0xFF  # More than one where this host was slow.
        times = [messages.State.unpack(frame.payload).t_us for frame in (before, after)]
        assert times[1] - times[0] == pytest.approx(states * 10_000, abs=500)


def test_battery_voltage(emulator: Emulator, board: Board) -> None:
    emulator.set_battery(6.6)
    emulator.wait(0.05)
    assert board.wait_state().battery_v == pytest.approx(6.6, abs=0.05)


def test_chip_time_goes_on_when_its_counter_wraps(board: Board) -> None:
    state = board.wait_state()
    board.state = type(state)(**{**vars(state), "chip_us": (5 << 32) - 1})
    assert (5 << 32) < board.wait_state(after=board.state).chip_us < (6 << 32)


@pytest.mark.parametrize(
    ("type_", "payload", "status"),
    [
        (MessageType.NONE, b"", Status.UNKNOWN_TYPE),
        (MessageType.HANG, b"", Status.UNKNOWN_TYPE),
        (MessageType.DRIVE, b"\1\2\3", Status.BAD_LENGTH),
        (MessageType.DRIVE, b"\0" * 32, Status.BAD_LENGTH),
        (MessageType.STOP, b"\0", Status.BAD_LENGTH),
    ],
)
def test_a_wrong_request_is_refused_by_name(
    board: Board, type_: MessageType, payload: bytes, status: Status
) -> None:
    reply = board._link.request(type_, payload)
    assert reply.type == MessageType.ACK
    assert messages.Ack.unpack(reply.payload) == messages.Ack(type_, status)


def test_no_drive_without_hello(emulator: Emulator) -> None:
    link = Link(emulator.port, messages.BAUDRATE)
    emulator.wait(0.01)
    reply = link.request(MessageType.DRIVE, messages.Drive((1000, 1000)).pack())
    link.close()
    assert messages.Ack.unpack(reply.payload).status == Status.HELLO_REQUIRED
    assert emulator.wait(0.05).last_edge_cycle == (0, 0)


def test_a_restart_in_mid_drive_is_noticed(emulator: Emulator, board: Board) -> None:
    board.drive(3000, 3000)
    emulator.reset()
    emulator.wait(0.05)
    with pytest.raises(BoardRestartedError, match="started again"):
        board.drive(3000, 3000)
    assert emulator.wait(0.05).duty == (0, 0)
    with pytest.raises(BoardRestartedError):
        board.wait_state(0.1)


def test_a_new_host_finds_the_motors_off(emulator: Emulator, board: Board) -> None:
    board.drive(3000, 3000)
    board._link.close()
    with Board.connect(emulator.port) as second:
        assert second.hello.boots == 1
        assert not second.wait_state().motors_on


def test_closing_stops_the_motors(emulator: Emulator) -> None:
    with Board.connect(emulator.port) as board:
        board.drive(3000, 3000)
        emulator.wait(0.1)
    status = emulator.wait(0.1)
    assert status.duty == (0, 0)
    assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.002 * CPU_HZ


def test_a_host_that_never_pauses_does_not_stop_the_control(
    emulator: Emulator, board: Board
) -> None:
    for speed in itertools.islice(itertools.cycle((4000, 3000)), 3000):
        board._link.send(MessageType.DRIVE, messages.Drive((speed, -speed)).pack())
    status = emulator.wait(0.1)
    assert (status.overruns, status.resets) == (0, 0)
    assert status.speed[0] > 2000
    assert board.wait_state().speed[0] > 2000


def test_a_burst_of_commands_is_all_understood(emulator: Emulator, board: Board) -> None:
    for _ in range(12):
        board._link.send(MessageType.DRIVE, messages.Drive((1000, 1000)).pack())
    emulator.wait(0.05)
    assert board.wait_state().rx_errors == 0


def test_the_newest_motion_command_holds(emulator: Emulator, board: Board) -> None:
    emulator.faults(drop_ppm=1_000_000)
    outcome: list[Exception] = []
    order = messages.Drive((4000, 4000)).pack()

    def drive() -> None:
        """As `Board.drive`, but never tired of trying, however slow this machine is."""
        try:
            board._link.request(MessageType.DRIVE, order, tries=10_000, is_motion=True)
        except (CommandSupersededError, LinkLostError) as error:
            outcome.append(error)

    thread = threading.Thread(target=drive)
    thread.start()
    while board.statistics().retransmissions == 0:
        time.sleep(0.001)
    emulator.faults()
    board.stop()
    thread.join()
    assert isinstance(outcome[0], CommandSupersededError)
    assert emulator.wait(0.1).last_edge_cycle == (0, 0)
