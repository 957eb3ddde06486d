"""Self-test steps for which nothing of the robot moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from reflexarc.firmware_bridge.faults import FAULTS
from reflexarc.firmware_bridge.selftest.bench import HEALTH_S, Bench, Result, Verdict
from reflexarc.firmware_bridge.state import BoardState

_ROUND_TRIPS = 200
# So near to the cut the next start of the motors may reach it.
_BATTERY_MARGIN_V = 0.3
_BATTERY_ABSENT_V = 3.0
_PRESS_WITHIN_S = 15.0
_RANGE_READINGS = 10


def link_step(bench: Bench) -> Iterator[Result]:
    """Round trips, and broken frames on either side."""
    before, chip_before = bench.board.statistics(), bench.next_state().rx_errors
    for _ in range(_ROUND_TRIPS):
        bench.board.read_state()
    after = bench.board.statistics()
    *_, newest = bench.states(2 * HEALTH_S)
    # A late answer may be a busy host's doing; a broken frame is the line's.
    repeated = after.retransmissions - before.retransmissions
    to_host = after.crc_errors + after.framing_errors - before.crc_errors - before.framing_errors
    to_chip = newest.rx_errors - chip_before
    good = not to_host and not to_chip
    yield Result(
        "link",
        Verdict.PASS if good else Verdict.FAIL,
        f"{_ROUND_TRIPS} round trips without a broken frame",
        f"{to_host} broken frames from the chip, {to_chip} to it, {repeated} of {_ROUND_TRIPS} "
        f"repeated; round trip p50 {after.round_trip_p50_ms or 0:.2f} ms, "
        f"p99 {after.round_trip_p99_ms or 0:.2f} ms",
        "" if good else "use a shorter or shielded USB cable, away from the motors' wires",
    )


def settings_step(bench: Bench) -> Iterator[Result]:
    """Where the settings came from."""
    source = bench.board.info.settings_source
    verdict = {"saved": Verdict.PASS, "empty": Verdict.WARN}.get(source, Verdict.FAIL)
    found = {
        "saved": "settings from EEPROM",
        "empty": "an empty EEPROM: built-in settings hold",
        "corrupt": "a corrupt EEPROM: built-in settings hold",
    }.get(source, source)
    remedy = "" if verdict is Verdict.PASS else "run: reflexarc board calibrate wheels"
    yield Result("settings", verdict, "settings from EEPROM", found, remedy)


def faults_step(bench: Bench) -> Iterator[Result]:
    """What was latched before; cleared where that can be."""
    latched = bench.board.read_state().faults
    if not latched:
        yield Result("faults", Verdict.PASS, "no fault", "none")
        return
    left = bench.board.clear_faults()
    for name in sorted(latched):
        fault = FAULTS[name]
        if name in left:
            yield Result("faults", Verdict.FAIL, "no fault", fault.cause, fault.remedy)
        else:
            was = f"{fault.cause}, some time ago; cleared"
            yield Result("faults", Verdict.WARN, "no fault", was)


def battery_step(bench: Bench) -> Iterator[Result]:
    """Its voltage, against the cut."""
    volts = bench.board.read_state().battery_v
    cut = bench.board.read_settings().battery_cut_v
    expected = f"more than {cut + _BATTERY_MARGIN_V:.1f} V (cut at {cut:.1f} V)"
    found = f"{volts:.2f} V"
    if volts > cut + _BATTERY_MARGIN_V:
        yield Result("battery", Verdict.PASS, expected, found)
    elif volts < _BATTERY_ABSENT_V:
        yield Result(
            "battery",
            Verdict.FAIL,
            expected,
            f"{found}: no battery",
            "connect it and switch it on; then check the divider to A0",
        )
    else:
        verdict = Verdict.WARN if volts > cut else Verdict.FAIL
        yield Result("battery", verdict, expected, found, "charge it")


def bump_step(bench: Bench) -> Iterator[Result]:
    """The switch at rest; pressed and released where there is a person."""
    yield from _switch(
        bench,
        "bump switch",
        lambda state: state.bump,
        "press the bump switch",
        "free the switch, or check its wire from A4 to ground for a short",
    )


def emergency_stop_step(bench: Bench) -> Iterator[Result]:
    """The same for the emergency stop, where one is fitted."""
    if not bench.board.read_settings().emergency_stop_fitted:
        found = "the settings say that none is fitted"
        yield Result("emergency stop", Verdict.SKIP, "", found)
        return
    yield from _switch(
        bench,
        "emergency stop",
        lambda state: state.emergency_stop,
        "press the emergency stop",
        "release the button, or check its wire from A5 to ground for a break",
    )


def _switch(
    bench: Bench, name: str, is_on: Callable[[BoardState], bool], request: str, remedy: str
) -> Iterator[Result]:
    if is_on(bench.board.read_state()):
        yield Result(name, Verdict.FAIL, "not pressed", "pressed", remedy)
        return
    if bench.person is None:
        yield Result(name, Verdict.PASS, "not pressed", "not pressed")
        return
    for position, wanted in (("pressed", True), ("released", False)):
        bench.person.tell(request if wanted else "release it")
        if not _wait(bench, lambda state, wanted=wanted: is_on(state) is wanted):  # type: ignore[misc]
            found = f"no change within {_PRESS_WITHIN_S:.0f} s"
            yield Result(name, Verdict.FAIL, position, found, "check its wires")
            return
    bench.board.clear_faults()
    yield Result(name, Verdict.PASS, "pressed, then released", "both seen")


def _wait(bench: Bench, is_so: Callable[[BoardState], bool]) -> bool:
    end = time.monotonic() + _PRESS_WITHIN_S
    while time.monotonic() < end:
        if is_so(bench.next_state()):
            return True
    return False


def range_step(bench: Bench) -> Iterator[Result]:
    """Echoes."""
    if bench.person is not None:
        bench.person.wait("hold a flat thing 10 to 50 cm in front of the range sensor")
    seen = [state.range_m for state in bench.states(_RANGE_READINGS * HEALTH_S)]
    echoes = sorted(metres for metres in seen if metres is not None)
    expected = "an echo from something nearer than 4 m"
    if not echoes:
        yield Result(
            "range sensor",
            Verdict.WARN if bench.person is None else Verdict.FAIL,
            expected,
            "no echo",
            "put something in front of it; then check its wire to D8 and its 5 V",
        )
        return
    near, far = echoes[0], echoes[-1]
    found = f"{echoes[len(echoes) // 2]:.2f} m ({near:.2f} to {far:.2f} m)"
    yield Result("range sensor", Verdict.PASS, expected, found)
