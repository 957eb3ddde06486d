"""Self-test steps that light something up or move it, one thing at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from reflexarc.firmware_bridge.errors import BoardFaultError
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.selftest.bench import Bench, Result, Verdict
from reflexarc.firmware_bridge.state import SERVO_NAMES

SIDES = ("left", "right")

_SERVO_MOVE_DEG = 10.0
_SERVO_NEAR_DEG = 0.5
# Beyond what the slew limit explains: the 50 Hz of pulses and the 20 Hz of reports.
_SERVO_SPARE_S = 0.3
# About one turn a second of the default wheel, and below the slowest max_speed by far.
_WHEEL_SPEED = 1500
_SETTLE_S = 0.3
_MEASURE_S = 0.3
_SPEED_SHARE = 0.15
_STILL_COUNTS = 8
_TURNED_COUNTS = 50
_STANDSTILL_S = 1.0
_TIMEOUT_SPEED = 800
# The chip decides and reports in control periods, and one report may get lost.
_TIMEOUT_AT_MOST_MS = messages.HOST_TIMEOUT_MS + 3 * messages.CONTROL_PERIOD_MS


def light_step(bench: Bench) -> Iterator[Result]:
    """Each color."""
    for color in ("red", "green", "blue"):
        bench.board.set_light(color)
        if bench.person is None:
            yield Result(f"light {color}", Verdict.PASS, color, "accepted (nothing measures it)")
            time.sleep(0.3)
        elif bench.person.ask(f"Is the light {color}?"):
            yield Result(f"light {color}", Verdict.PASS, color, "seen")
        else:
            remedy = "check the wires at D11 (red), D12 (green), D13 (blue) and the resistors"
            yield Result(f"light {color}", Verdict.FAIL, color, "not seen", remedy)
    bench.board.set_light("off")


def servos_step(bench: Bench) -> Iterator[Result]:
    """Each one a little both ways, the others still."""
    for name in SERVO_NAMES:
        yield _servo(bench, name)
        bench.board.release_servos([name])


def _servo(bench: Bench, name: str) -> Result:
    step = f"servo {name}"
    setting = bench.board.read_settings().servos[name]
    # Around 0 where the limits allow it.
    low = max(setting.lowest_deg, min(-_SERVO_MOVE_DEG, setting.highest_deg))
    high = min(setting.highest_deg, max(_SERVO_MOVE_DEG, setting.lowest_deg))
    middle = (low + high) / 2
    others = [other for other in SERVO_NAMES if other != name]
    # The first pulse takes it there from wherever it was.
    bench.board.set_servos({name: middle})
    for _ in bench.states(0.5):
        pass
    expected = f"{middle:.0f}°, {high:.0f}°, {low:.0f}° and back at {setting.speed_deg_s}°/s"
    at = middle
    for target in (high, low, middle):
        bench.board.set_servos({name: target})
        seconds = abs(target - at) / setting.speed_deg_s + _SERVO_SPARE_S
        for state in bench.states(seconds):
            angle = state.servos[name]
            if angle is not None and abs(angle - target) <= _SERVO_NEAR_DEG:
                break
        else:
            found = f"{'limp' if angle is None else f'{angle:.1f}°'} instead of {target:.0f}°"
            remedy = "flash the firmware that belongs to this version"
            return Result(step, Verdict.FAIL, expected, found, remedy)
        if moved := [other for other in others if state.servos[other] is not None]:
            found = f"pulses to {' and '.join(moved)} as well"
            remedy = "end the other program that commands it"
            return Result(step, Verdict.FAIL, expected, found, remedy)
        at = target
    if bench.person is None:
        return Result(step, Verdict.PASS, expected, "its pulses moved so (nothing measures it)")
    if bench.person.ask(f"Did the {name} servo, and no other, move both ways?"):
        return Result(step, Verdict.PASS, expected, "seen")
    pins = {"pan": "D9", "tilt": "D10", "gripper": "A1"}
    remedy = f"check its plug at {pins[name]}, its 5 V supply and its ground"
    return Result(step, Verdict.FAIL, expected, "not seen", remedy)


# ---- wheels


def wheels_step(bench: Bench) -> Iterator[Result]:
    """Each one forward and backward, the other still."""
    lift = "lift the robot off the ground: its wheels turn now"
    if bench.person is None:
        bench.warn(lift)
    else:
        bench.person.wait(lift)
    speed = min(_WHEEL_SPEED, bench.board.read_settings().max_speed)
    for side in range(2):
        for sign, way in ((1, "forward"), (-1, "backward")):
            result = _wheel(bench, side, sign * speed, way)
            yield result
            if result.verdict is Verdict.FAIL:
                bench.board.clear_faults()
                break


def _wheel(bench: Bench, side: int, speed: int, way: str) -> Result:
    step = f"{SIDES[side]} wheel {way}"
    expected = f"{speed} counts/s ± {_SPEED_SHARE:.0%}, {SIDES[1 - side]} wheel still"
    board = bench.board
    start = bench.next_state()
    measure_from = start
    state = start
    fault: BoardFaultError | None = None
    try:
        for state in bench.states(_SETTLE_S + _MEASURE_S):
            board.drive(*((speed, 0) if side == 0 else (0, speed)))
            if state.chip_us - start.chip_us <= _SETTLE_S * 1e6:
                measure_from = state
        _stand_still(bench)
    except BoardFaultError as error:
        fault = error
    finally:
        board.stop()
    state = state if fault is None else bench.next_state()
    turned = state.encoder[side] - start.encoder[side]
    other = state.encoder[1 - side] - start.encoder[1 - side]
    sign = 1 if speed > 0 else -1
    # Each wheel's controller then sees the other one turn, and makes it worse.
    if sign * turned <= _STILL_COUNTS and sign * other >= _TURNED_COUNTS:
        remedy = "exchange the left and right motor plugs, or the left and right encoder plugs"
        found = f"the {SIDES[1 - side]} wheel turned in its place"
        return Result(step, Verdict.FAIL, expected, found, remedy)
    if fault is not None:
        return Result(step, Verdict.FAIL, expected, fault.found, fault.remedy)
    seconds = (state.chip_us - measure_from.chip_us) / 1e6
    measured = (state.encoder[side] - measure_from.encoder[side]) / seconds
    found = f"{measured:.0f} counts/s, {turned} counts; {SIDES[1 - side]} wheel {other} counts"
    if measured * speed < 0:
        remedy = "swap the motor's wires or the encoder's A and B (or set the reversed option)"
    elif abs(measured) < abs(speed) * (1 - _SPEED_SHARE):
        remedy = "free the wheel, charge the battery, then check the encoder's two signals"
    elif abs(measured) > abs(speed) * (1 + _SPEED_SHARE):
        remedy = "check the encoder's two signals and the gains in the settings"
    elif abs(other) > _STILL_COUNTS:
        remedy = "check that nothing but its own motor turns the other wheel"
    else:
        return Result(step, Verdict.PASS, expected, found)
    return Result(step, Verdict.FAIL, expected, found, remedy)


def _stand_still(bench: Bench) -> None:
    for state in bench.states(_STANDSTILL_S):
        if state.speed == (0, 0):
            return
        bench.board.drive(0, 0)


def timeout_step(bench: Bench) -> Iterator[Result]:
    """The chip stops both by itself when the host falls silent."""
    board = bench.board
    expected = f"motors off by themselves within {messages.HOST_TIMEOUT_MS} ms of silence"
    for _ in bench.states(_SETTLE_S):
        board.drive(_TIMEOUT_SPEED, _TIMEOUT_SPEED)
    # Read after the last DRIVE was taken up: from here the chip has heard none.
    last = board.read_state()
    off = next((s for s in bench.states(2 * _TIMEOUT_AT_MOST_MS / 1000) if not s.motors_on), None)
    board.stop()
    remedy = "do not drive this robot: flash the firmware that belongs to this version"
    if off is None:
        found = f"motors still on after {2 * _TIMEOUT_AT_MOST_MS} ms"
        yield Result("timeout", Verdict.FAIL, expected, found, remedy)
        return
    took_ms = (off.chip_us - last.chip_us) / 1000
    good = off.host_timed_out and took_ms <= _TIMEOUT_AT_MOST_MS
    why = "host timeout" if off.host_timed_out else "another reason"
    found = f"off after {took_ms:.0f} ms ({why})"
    yield Result(
        "timeout", Verdict.PASS if good else Verdict.FAIL, expected, found, "" if good else remedy
    )
