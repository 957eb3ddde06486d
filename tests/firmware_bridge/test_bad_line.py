"""A cable that breaks bytes: commands get through, and never as something else."""

import pytest

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import Emulator
from reflexarc.firmware_bridge.protocol.frame import FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import DriveAck, MessageType


@pytest.mark.parametrize("fault", ["flip_ppm", "drop_ppm"])
def test_one_byte_in_a_hundred_is_broken(emulator: Emulator, board: Board, fault: str) -> None:
    emulator.trace()
    emulator.faults(**{fault: 10_000})
    for speed in range(1000, 1300):
        assert board.drive(speed, -speed) == (speed, -speed)
    emulator.faults()
    emulator.wait(0.05)
    # The set points were alike, so any other drive on the pins is a wrong value.
    for change in emulator.trace().motor:
        assert 0 <= change.duty * (1 if change.motor == 0 else -1) < 150
    status = emulator.status()
    assert status.flipped + status.dropped > 50
    assert board.statistics().retransmissions > 10
    assert board.wait_state().rx_errors > 10


def test_states_go_on_past_broken_ones(emulator: Emulator, board: Board) -> None:
    emulator.faults(flip_ppm=20_000)
    state = board.wait_state()
    for _ in range(100):
        state = board.wait_state(after=state)
        assert 6.9 < state.battery_v < 7.9
        assert state.encoder == (0, 0)
    statistics = board.statistics()
    assert statistics.crc_errors + statistics.framing_errors > 0
    assert statistics.states_missed > 0


def test_connecting_over_a_bad_line(emulator: Emulator) -> None:
    emulator.faults(flip_ppm=10_000, drop_ppm=10_000)
    with Board.connect(emulator.port, timeout_s=10) as board:
        assert board.drive(1000, 1000) == (1000, 1000)


def test_noise_before_a_frame_does_no_harm(emulator: Emulator, board: Board) -> None:
    board._link._serial.write(bytes(range(1, 256)) * 4)
    emulator.wait(0.05)
    assert board.drive(1000, 1000) == (1000, 1000)
    assert board.wait_state().rx_errors > 0


def test_a_reply_that_lost_its_end_under_a_good_checksum_is_not_one(
    emulator: Emulator, board: Board
) -> None:
    """When the checksum ends with 0x00, a frame without that last byte checks out as well."""
    shortened = [
        frame
        for seq in range(256)
        for speed in range(200)
        for frame in FrameDecoder().feed(
            b"\0"
            + encode_frame(MessageType.DRIVE_ACK, seq, DriveAck((speed, -speed)).pack())[:-2]
            + b"\0"
        )
    ]
    assert len(shortened) > 100  # so this is no rare accident
    before = board.statistics().framing_errors
    for frame in shortened:
        assert len(frame.payload) != DriveAck.LAYOUT.size
        board._link._take(frame, 0)
    assert board.statistics().framing_errors == before + len(shortened)
    assert board.drive(1000, -1000) == (1000, -1000)
