"""The self-test on the real firmware, healthy and broken; judged by the emulated pins."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import closing

import pytest

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.selftest import STEPS, Result, Verdict, run_selftest

WHEEL_STEPS = [
    f"{side} wheel {way}" for side in ("left", "right") for way in ("forward", "backward")
]


def only(board: Board, *steps: str) -> dict[str, Result]:
    """These steps' results."""
    skip = [name for name in STEPS if name not in steps]
    results = {result.step: result for result in run_selftest(board, skip=skip)}
    return {name: one for name, one in results.items() if one.verdict is not Verdict.SKIP}


def verdicts(results: Collection[Result]) -> set[Verdict]:
    return {result.verdict for result in results}


def test_one_wheel_turns_at_a_time_and_all_is_off_at_the_end(
    emulator: EmulatedBoard, board: Board
) -> None:
    emulator.trace()
    results = only(board, "wheels")
    assert list(results) == WHEEL_STEPS
    assert verdicts(results.values()) == {Verdict.PASS}
    duty, seen = [0, 0], set()
    for change in emulator.trace().motor:
        duty[change.motor] = change.duty
        seen.add((duty[0] > 0) - (duty[0] < 0) + 3 * ((duty[1] > 0) - (duty[1] < 0)))
    # Left, right forward and back, and rest: never both. (A brake may reverse one.)
    assert seen == {-3, -1, 0, 1, 3}
    assert emulator.status().duty == (0, 0)


def test_servos_move_one_after_the_other_a_little_and_go_limp(
    emulator: EmulatedBoard, board: Board
) -> None:
    pins = ("B1", "B2", "C1")
    for pin in pins:
        emulator.watch(pin)
    results = only(board, "servos")
    assert list(results) == ["servo pan", "servo tilt", "servo gripper"]
    assert verdicts(results.values()) == {Verdict.PASS}
    emulator.wait(0.03)  # The last pulse ends.
    edges = emulator.trace().pins
    order = [edge.pin for edge in edges]
    assert order == sorted(order, key=pins.index), "pulses to one servo at a time"
    for pin in pins:
        times = [edge.cycle for edge in edges if edge.pin == pin]
        widths = [(fall - rise) / 16 for rise, fall in zip(times[::2], times[1::2], strict=True)]
        # 900 us for 90 degrees: 10 degrees either way.
        assert min(widths) == pytest.approx(1400, abs=8)
        assert max(widths) == pytest.approx(1600, abs=8)
    assert emulator.wait(0.1).servo_us == (0, 0, 0)


def test_a_jammed_wheel(emulator: EmulatedBoard, board: Board) -> None:
    emulator.jam_wheel(0, True)
    results = only(board, "wheels", "timeout")
    # No second try with a wheel that is stuck, and the other is still tested.
    assert list(results) == ["left wheel forward", *WHEEL_STEPS[2:]]
    stuck = results["left wheel forward"]
    assert stuck.verdict is Verdict.FAIL
    assert stuck.found == "left wheel driven hard and not turning"
    assert "free the wheel" in stuck.remedy
    assert results["right wheel backward"].verdict is Verdict.PASS
    assert emulator.status().duty == (0, 0)


def test_a_swapped_motor(emulator: EmulatedBoard, board: Board) -> None:
    emulator.swap_motor(1, True)
    results = only(board, "wheels")
    wrong = results["right wheel forward"]
    assert wrong.verdict is Verdict.FAIL
    assert wrong.found == "right wheel turns against its drive"
    assert "swap the motor's wires" in wrong.remedy
    assert results["left wheel backward"].verdict is Verdict.PASS


@pytest.mark.parametrize("channel", ["both", "b"])
def test_an_unplugged_encoder(emulator: EmulatedBoard, board: Board, channel: str) -> None:
    emulator.unplug_encoder(1, channel)  # type: ignore[arg-type]
    results = only(board, "wheels")
    lost = results["right wheel forward"]
    assert lost.verdict is Verdict.FAIL
    assert "encoder" in lost.remedy and lost.found.startswith("right ")
    assert results["left wheel forward"].verdict is Verdict.PASS


def test_left_and_right_exchanged(emulator: EmulatedBoard, board: Board) -> None:
    """The encoders' plugs: a body outside the chip gives each wheel's turns to the other."""
    ended = threading.Event()

    def cross() -> None:
        left = right = 0.0
        while not ended.is_set():
            drive = emulator.exchange(left, right).drive
            left, right = drive[1] * 5500, drive[0] * 5500

    body = threading.Thread(target=cross)
    body.start()
    try:
        results = only(board, "wheels")
    finally:
        ended.set()
        body.join()
    assert results["left wheel forward"].found == "the right wheel turned in its place"
    assert results["right wheel forward"].found == "the left wheel turned in its place"
    assert "exchange the left and right" in results["left wheel forward"].remedy


def test_switches_that_are_pressed(emulator: EmulatedBoard, board: Board) -> None:
    emulator.press_bump(True)
    emulator.open_emergency_stop(True)
    emulator.wait(0.1)
    results = only(board, "faults", "bump", "emergency-stop", "wheels")
    assert results["faults"].verdict is Verdict.FAIL
    assert results["faults"].found == "emergency stop pressed, or its wire broken"
    for name in ("bump switch", "emergency stop"):
        assert results[name].verdict is Verdict.FAIL
        assert results[name].found == "pressed"
    assert results["left wheel forward"].verdict is Verdict.FAIL
    assert emulator.status().last_edge_cycle == (0, 0)


def test_an_old_fault_is_told_and_cleared(emulator: EmulatedBoard, board: Board) -> None:
    emulator.open_emergency_stop(True)
    emulator.wait(0.1)
    emulator.open_emergency_stop(False)
    emulator.wait(0.1)
    first, second = (only(board, "faults")["faults"] for _ in range(2))
    assert first.verdict is Verdict.WARN and "cleared" in first.found
    assert second.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("volts", "verdict", "words"),
    [
        (7.4, Verdict.PASS, ""),
        (6.15, Verdict.WARN, "charge"),
        (5.7, Verdict.FAIL, "charge"),
        (0.2, Verdict.FAIL, "connect it"),
    ],
)
def test_battery(
    emulator: EmulatedBoard, board: Board, volts: float, verdict: Verdict, words: str
) -> None:
    emulator.set_battery(volts)
    emulator.wait(1.2)
    result = only(board, "battery")["battery"]
    assert result.verdict is verdict and words in result.remedy


def test_range_sensor(emulator: EmulatedBoard, board: Board) -> None:
    assert only(board, "range")["range sensor"].verdict is Verdict.WARN
    emulator.set_range(730)
    emulator.wait(0.2)
    seen = only(board, "range")["range sensor"]
    assert seen.verdict is Verdict.PASS and seen.found.startswith("0.73 m")


def test_a_noisy_line_fails_the_link(emulator: EmulatedBoard, board: Board) -> None:
    assert only(board, "link")["link"].verdict is Verdict.PASS
    emulator.faults(flip_ppm=3000)
    noisy = only(board, "link")["link"]
    assert noisy.verdict is Verdict.FAIL and "cable" in noisy.remedy
    from_chip, to_chip = (int(words.split()[0]) for words in noisy.found.split(", ")[:2])
    assert from_chip > 5 and to_chip > 0


def test_a_cable_pulled_while_a_wheel_turns_ends_it(emulator: EmulatedBoard, board: Board) -> None:
    skip = [name for name in STEPS if name not in ("wheels", "timeout")]
    puller = threading.Timer(0.0, emulator.unplug)
    results = []
    with closing(run_selftest(board, skip=skip)) as steps:
        for result in steps:
            results.append(result)
            if result.step == "left wheel forward":
                puller.start()
    assert results[-1].verdict is Verdict.FAIL
    assert "cable" in results[-1].remedy
    assert not any(result.step == "timeout" for result in results)
    assert emulator.wait(0.4).duty == (0, 0)


def test_one_that_is_not_read_to_its_end_leaves_nothing_on(
    emulator: EmulatedBoard, board: Board
) -> None:
    board.set_servos({"gripper": 10})
    skip = [name for name in STEPS if name != "light"]
    with closing(run_selftest(board, skip=skip)) as steps:
        assert next(step for step in steps if step.verdict is Verdict.PASS).step == "light red"
        assert emulator.status().light == (1, 0, 0)
    status = emulator.wait(0.1)
    assert status.light == (0, 0, 0) and status.servo_us == (0, 0, 0)


class Hand:
    """Somebody who presses what is asked for."""

    def __init__(self, emulator: EmulatedBoard, sees: bool) -> None:
        self.emulator, self.sees, self.heard = emulator, sees, list[str]()

    def ask(self, question: str) -> bool:
        self.heard.append(question)
        return self.sees

    def tell(self, request: str) -> None:
        self.heard.append(request)
        pressed = request != "release it"
        if "bump" in " ".join(self.heard[-2:]):
            self.emulator.press_bump(pressed)
        else:
            self.emulator.open_emergency_stop(pressed)

    def wait(self, request: str) -> None:
        self.heard.append(request)
        if "range" in request:
            self.emulator.set_range(200)


@pytest.mark.parametrize("sees", [True, False])
def test_a_person_is_asked(emulator: EmulatedBoard, board: Board, sees: bool) -> None:
    hand = Hand(emulator, sees)
    skip = {"link", "settings", "faults", "battery", "servos", "timeout", "wheels"}
    results = [r for r in run_selftest(board, skip=skip, person=hand) if r.step not in skip]
    found = {result.step: result.verdict for result in results}
    assert found == {
        "bump switch": Verdict.PASS,
        "emergency stop": Verdict.PASS,
        "range sensor": Verdict.PASS,
        **{f"light {c}": Verdict.PASS if sees else Verdict.FAIL for c in ("red", "green", "blue")},
    }
    assert [words for words in hand.heard if words.startswith("Is the light")]
    assert emulator.status().light == (0, 0, 0)
    # What the person pressed is no fault afterwards.
    assert board.read_state().faults == frozenset()
