"""The host's board against the real firmware on the emulated chip."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest

from reflexarc.firmware_bridge import (
    AsyncBoard,
    Board,
    BoardError,
    BoardRestartedError,
    CommandRefusedError,
    CommandSupersededError,
    ConnectionStatus,
    LinkLostError,
    SettingsError,
    commands,
)
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.link import Link
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status
from reflexarc.firmware_bridge.window import NoReplyError, Request

KeepDriving = Callable[[int, int, float], None]


def test_hello(board: Board) -> None:
    assert board.hello.protocol_version == messages.PROTOCOL_VERSION
    assert board.hello.capabilities & messages.CAPABILITY_DRIVE
    assert board.hello.reset_cause == messages.RESET_POWER_ON
    assert board.hello.boots == 1


def test_motors_are_off_at_first(emulator: EmulatedBoard, board: Board) -> None:
    assert not board.wait_state().motors_on
    assert emulator.status().last_edge_cycle == (0, 0)


@pytest.mark.parametrize("target", [(3000, 3000), (-2000, 4000), (600, -600)])
def test_drive_reaches_the_set_speed(
    emulator: EmulatedBoard, board: Board, target: tuple[int, int]
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
    emulator: EmulatedBoard, board: Board, keep_driving: KeepDriving
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


def test_a_drive_is_on_the_pins_within_one_control_period(
    emulator: EmulatedBoard, board: Board
) -> None:
    emulator.trace()
    board.drive(3000, 3000)
    emulator.wait(0.05)
    trace = emulator.trace()
    first = min(change.cycle for change in trace.motor if change.duty > 0)
    assert 0 < first - trace.frames[0].end_cycle < 0.010 * CPU_HZ


def test_drive_zero_is_a_controlled_stop(
    emulator: EmulatedBoard, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(4000, 4000, 0.5)
    emulator.trace()
    keep_driving(0, 0, 0.5)
    assert any(change.duty < 0 for change in emulator.trace().motor), "it did not brake"
    assert emulator.status().duty == (0, 0)
    assert emulator.status().speed == (0, 0)
    assert board.wait_state().motors_on


def test_stop_switches_off_at_once(
    emulator: EmulatedBoard, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(4000, 4000, 0.5)
    board.stop()
    status = emulator.wait(0.1)
    assert status.duty == (0, 0)
    assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.002 * CPU_HZ
    assert not board.wait_state().motors_on


def test_full_duty_is_full_drive(board: Board, emulator: EmulatedBoard) -> None:
    emulator.exchange(0, 0)  # a body that holds the wheels
    for _ in range(12):  # soon after, the chip takes it for a stalled motor
        board.drive(5000, -5000)
        emulator.wait(0.02)
    assert emulator.status().duty == (255, -255)
    assert emulator.exchange(0, 0).drive[0] > 0.7
    assert board.wait_state().saturated


def test_states_come_a_hundred_times_a_second(emulator: EmulatedBoard) -> None:
    frames: list[Frame] = []
    link = Link(emulator.port, messages.BAUDRATE, on_frame=lambda frame, _: frames.append(frame))
    link.request(MessageType.HELLO, tries=100)
    emulator.wait(0.1)  # A HELLO that a slow host said twice is answered between two states.
    frames.clear()
    emulator.wait(0.5)
    link.close()
    frames = [frame for frame in frames if frame.type == MessageType.STATE]
    assert len(frames) > 10
    for before, after in itertools.pairwise(frames):
        states = (after.seq - before.seq) & 0xFF  # More than one where this host was slow.
        times = [messages.State.unpack(frame.payload).t_us for frame in (before, after)]
        assert times[1] - times[0] == pytest.approx(states * 10_000, abs=500)


def test_battery_voltage(emulator: EmulatedBoard, board: Board) -> None:
    emulator.set_battery(6.6)
    emulator.wait(0.05)
    assert board.wait_state().battery_v == pytest.approx(6.6, abs=0.05)


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
    reply = board._engine.link.request(type_, payload)
    assert reply.type == MessageType.ACK
    assert messages.Ack.unpack(reply.payload) == messages.Ack(type_, status, 0)


def test_no_drive_without_hello(emulator: EmulatedBoard) -> None:
    link = Link(emulator.port, messages.BAUDRATE)
    emulator.wait(0.01)
    reply = link.request(MessageType.DRIVE, messages.Drive((1000, 1000)).pack())
    link.close()
    assert messages.Ack.unpack(reply.payload).status == Status.HELLO_REQUIRED
    assert emulator.wait(0.05).last_edge_cycle == (0, 0)


def test_a_restart_in_mid_drive_is_noticed(emulator: EmulatedBoard) -> None:
    with Board.connect(emulator.port, reconnect=False) as board:
        board.drive(3000, 3000)
        emulator.reset()
        emulator.wait(0.05)
        with pytest.raises(BoardRestartedError, match=r"started again.*connect again"):
            board.drive(3000, 3000)
        assert emulator.wait(0.05).duty == (0, 0)
        with pytest.raises(BoardRestartedError):
            board.wait_state(0.1)


def test_a_new_host_finds_the_motors_off(emulator: EmulatedBoard, board: Board) -> None:
    board.drive(3000, 3000)
    board._engine.status = ConnectionStatus.CLOSED  # as if killed: no stop is sent
    board._engine._ending.set()
    board._engine.link.close()
    with Board.connect(emulator.port) as second:
        assert second.hello.boots == 1
        assert not second.wait_state().motors_on


def test_closing_stops_the_motors(emulator: EmulatedBoard) -> None:
    with Board.connect(emulator.port) as board:
        board.drive(3000, 3000)
        emulator.wait(0.1)
    status = emulator.wait(0.1)
    assert status.duty == (0, 0)
    assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.002 * CPU_HZ


def test_a_host_that_never_pauses_does_not_stop_the_control(
    emulator: EmulatedBoard, board: Board
) -> None:
    link = board._engine.link
    requests = []
    for speed in itertools.islice(itertools.cycle((4000, 3000)), 3000):
        while not link.has_room:
            time.sleep(0.0005)
        payload = messages.Drive((speed, -speed)).pack()
        # Answered late on a busy machine, but never lost.
        requests.append(link.submit(Request(MessageType.DRIVE, payload, timeout_s=10.0)))
    assert all(request.future.result().type == MessageType.DRIVE_REPLY for request in requests)
    status = emulator.wait(0.1)
    # The window keeps what is on its way within what the chip can hold.
    assert (status.overruns, status.resets) == (0, 0)
    assert status.speed[0] > 2000
    state = board.wait_state()
    assert state.speed[0] > 2000
    assert state.rx_errors == 0
    assert board.statistics().retransmissions == 0


def test_the_newest_motion_command_holds(emulator: EmulatedBoard) -> None:
    with Board.connect(emulator.port, reconnect=False) as board:
        repeated = board.statistics().retransmissions
        emulator.faults(drop_ppm=1_000_000)
        drive = board._engine.submit(commands.drive(4000, 4000))
        while board.statistics().retransmissions == repeated:
            time.sleep(0.001)
        stop = board._engine.submit(commands.stop(), tries=10_000)
        with pytest.raises(CommandSupersededError):
            drive.result()
        emulator.wait(0.02)  # What was sent of it, and not yet lost, is lost too.
        emulator.faults()
        assert stop.result().type == MessageType.ACK
        assert emulator.wait(0.1).last_edge_cycle == (0, 0)


def test_servos_say_what_holds(emulator: EmulatedBoard, board: Board) -> None:
    settings = board.read_settings()
    assert board.set_servos({"pan": 10.0}) == {"pan": 10.0}
    assert board.set_servos({"tilt": 400.0}) == {"tilt": settings.servos["tilt"].highest_deg}
    emulator.wait(1.5)
    state = board.wait_state()
    assert (state.servos["pan"], state.servos["gripper"]) == (10.0, None)
    with pytest.raises(BoardError, match=r"pan, tilt, gripper; found arm"):
        board.set_servos({"arm": 1.0})
    with pytest.raises(BoardError, match="found pink"):
        board.set_light("pink")


def test_settings_outlive_a_reset_only_when_saved(emulator: EmulatedBoard, board: Board) -> None:
    kept = board.read_settings().model_copy(update={"wheel_diameter_mm": 70.0})
    board.write_settings(kept)
    board.save_settings()
    board.write_settings(kept.model_copy(update={"wheel_diameter_mm": 80.0}))
    emulator.reset()
    board.close()
    emulator.wait(0.1)
    with Board.connect(emulator.port) as again:
        assert again.info.settings_source == "saved"
        assert again.read_settings() == kept


def test_a_setting_out_of_range_is_refused_whole(board: Board) -> None:
    before = board.read_settings()
    pan = before.servos["pan"].model_copy(update={"lowest_deg": 50.0, "highest_deg": -50.0})
    with pytest.raises(SettingsError, match="SERVO_SETTINGS refused"):
        board.write_settings(before.model_copy(update={"servos": {**before.servos, "pan": pan}}))
    assert board.read_settings() == before


def test_settings_wait_for_standing_motors(board: Board) -> None:
    settings = board.read_settings()
    board.drive(1000, 1000)
    with pytest.raises(CommandRefusedError, match="motors that are on"):
        board.write_settings(settings)
    board.stop()
    board.write_settings(settings)


def test_the_same_commands_awaited(emulator: EmulatedBoard) -> None:
    async def talk() -> None:
        async with await AsyncBoard.connect(emulator.port) as board:
            first = await board.wait_state()
            answers = await asyncio.gather(
                board.drive(1000, -1000),
                board.set_light("red"),
                board.set_servos({"pan": 5.0}),
                board.read_settings(),
            )
            assert answers[0] == (1000, -1000)
            assert answers[2] == {"pan": 5.0}
            seen = []
            async for state in board.states():
                seen.append(state.chip_us)
                await board.drive(1000, -1000)
                if len(seen) == 20:
                    break
            assert first.chip_us < seen[0]
            assert seen == sorted(set(seen))
            await board.stop()
            assert not (await board.read_state()).motors_on
            assert board.info.kind == "atmega328p"

    asyncio.run(talk())


def test_a_line_that_never_answers_ends_with_a_remedy(
    emulator: EmulatedBoard, board: Board
) -> None:
    emulator.faults(drop_ppm=1_000_000)
    with pytest.raises(LinkLostError, match=r"30 tries of DRIVE.*check the cable") as error:
        board.drive(1000, 1000)
    assert isinstance(error.value.__cause__, NoReplyError)
