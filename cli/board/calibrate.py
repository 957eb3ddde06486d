"""`reflexarc board calibrate`: real measures of wheels and servos, to EEPROM and robot.yaml."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.board.options import BAUDRATE, BaudOption, PortArgument
from reflexarc.cli.output import JsonOption, err, out, print_json, table
from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Board, BoardSettings, ServoSetting
    from reflexarc.firmware_bridge.calibration import Travel

verb = typer.Typer(help="Measure wheels and servos; write what was found to EEPROM.")

_ACCELERATION_S = 0.5
# From the last pulse that moved it; and at most, should it never get there.
_SETTLE_S = 0.5
_SERVO_S = 10.0

Change = tuple[str, str, str]


def register(app: typer.Typer, name: str) -> None:
    """Add the verb and those below it."""
    app.add_typer(verb, name=name, no_args_is_help=True)


@verb.command()
def wheels(
    port: PortArgument = "auto",
    distance_m: Annotated[
        float, typer.Option(min=0.1, max=10, help="How far to drive straight on.")
    ] = 1.0,
    turns: Annotated[
        float, typer.Option(min=0.25, max=20, help="How often to turn round, to the left.")
    ] = 1.0,
    speed_mps: Annotated[float, typer.Option(min=0.02, max=0.5, help="Of each wheel.")] = 0.15,
    measured_mm: Annotated[
        float | None, typer.Option(min=1, help="What it really drives; asked if left out.")
    ] = None,
    measured_deg: Annotated[
        float | None, typer.Option(min=1, help="What it really turns; asked if left out.")
    ] = None,
    only: Annotated[str, typer.Option(help="diameter or separation.")] = "",
    robot: Annotated[
        Path | None, typer.Option(help="A robot.yaml to write the measures to as well.")
    ] = None,
    baudrate: BaudOption = BAUDRATE,
    json: JsonOption = False,
) -> None:
    """Drive straight for the wheel diameter, turn round for the wheel separation.

    THE ROBOT DRIVES: put it on the floor, with room, a mark at its axle and a line beside
    it. Afterwards say how far it really came (mm) and how far it really turned (degrees).
    """
    from reflexarc.cli.board.robot_yaml import write_geometry
    from reflexarc.firmware_bridge import Board
    from reflexarc.firmware_bridge.calibration import (
        counts_per_mm,
        keep,
        travel,
        wheel_diameter_mm,
        wheel_separation_mm,
    )
    from reflexarc.robot.config import load_config

    if only not in ("", "diameter", "separation"):
        raise ReflexarcError(
            expected="--only diameter or --only separation", found=only, remedy="use one of them"
        )
    if robot is not None:
        load_config(robot)  # Before anything moves.
    with Board.connect(port, baudrate=baudrate) as board:
        old = board.read_settings()
        changes: dict[str, float] = {}
        rolled: dict[str, Travel] = {}
        speed = min(speed_mps * 1000 * counts_per_mm(old), old.max_speed)
        ramp = speed / _ACCELERATION_S
        if only != "separation":
            _ready(f"it drives {distance_m:g} m straight on", measured_mm)
            counts = round(distance_m * 1000 * counts_per_mm(old))
            straight = travel(board, counts, counts, speed=speed, acceleration=ramp)
            rolled["straight"] = straight
            mm = _ask(measured_mm, "How far did it really drive, in mm?")
            changes["wheel_diameter_mm"] = round(wheel_diameter_mm(straight, mm, old), 2)
        diameter = changes.get("wheel_diameter_mm", old.wheel_diameter_mm)
        if only != "diameter":
            _ready(f"it turns {turns:g} times on the spot, to the left", measured_deg)
            # By the old separation, and the diameter as it is known now.
            true = old.model_copy(update={"wheel_diameter_mm": diameter})
            arc_mm = turns * math.pi * old.wheel_separation_mm
            counts = round(arc_mm * counts_per_mm(true))
            spin = travel(board, -counts, counts, speed=speed, acceleration=ramp)
            rolled["spin"] = spin
            degrees = _ask(measured_deg, "How many degrees did it really turn in all?")
            separation = wheel_separation_mm(spin, degrees, diameter, old)
            changes["wheel_separation_mm"] = round(separation, 1)
        held = keep(board, old.model_copy(update=changes))
    if robot is not None:
        write_geometry(
            robot,
            {
                "wheel_diameter_m": held.wheel_diameter_mm / 1000,
                "wheel_separation_m": held.wheel_separation_mm / 1000,
                "counts_per_revolution": held.counts_per_revolution,
            },
        )
    if json:
        print_json(
            {
                "old": {name: getattr(old, name) for name in changes},
                "new": {name: getattr(held, name) for name in changes},
                "counts": {name: way._asdict() for name, way in rolled.items()},
                "counts_per_m": counts_per_mm(held) * 1000,
                "robot": None if robot is None else str(robot),
            }
        )
        return
    rows = [
        (f"{name.replace('_', ' ')[:-3]}, mm", f"{getattr(old, name):g}", f"{value:g}")
        for name, value in changes.items()
    ]
    before, after = (f"{counts_per_mm(one) * 1000:.0f}" for one in (old, held))
    rows.append(("counts per metre", before, after))
    _show(rows, "EEPROM" if robot is None else f"EEPROM and {robot}")


@verb.command()
def servos(
    port: PortArgument = "auto",
    servo: Annotated[str, typer.Option(help="pan, tilt or gripper; all, one by one.")] = "",
    at_deg: Annotated[float, typer.Option(help="The second angle to measure at.")] = 30.0,
    zero_deg: Annotated[
        float | None, typer.Option(help="Where it really stands when told 0; asked.")
    ] = None,
    measured_deg: Annotated[
        float | None, typer.Option(help="Where it really stands when told --at-deg; asked.")
    ] = None,
    lowest_deg: Annotated[float | None, typer.Option(help="Lower limit; asked.")] = None,
    highest_deg: Annotated[float | None, typer.Option(help="Higher limit; asked.")] = None,
    baudrate: BaudOption = BAUDRATE,
    json: JsonOption = False,
) -> None:
    """Measure a servo's centre and scale, then set its limits.

    With --servo, every value given is not asked; --lowest-deg or --highest-deg alone
    only sets that limit. Angles: left, up and open are positive.
    """
    from reflexarc.firmware_bridge import Board
    from reflexarc.firmware_bridge.calibration import keep
    from reflexarc.firmware_bridge.state import SERVO_NAMES

    given = (zero_deg, measured_deg, lowest_deg, highest_deg)
    names = SERVO_NAMES if not servo else (servo,)
    if servo not in ("", *SERVO_NAMES) or (not servo and any(value is not None for value in given)):
        raise ReflexarcError(
            expected=f"values for one servo: --servo {', '.join(SERVO_NAMES)}",
            found=servo or "none named",
            remedy="name it",
        )
    with Board.connect(port, baudrate=baudrate) as board:
        old = board.read_settings()
        new = dict(old.servos)
        try:
            for name in names:
                new[name] = _servo(board, old, name, at_deg, *given)
                board.release_servos([name])
        finally:
            board.release_servos()
        held = keep(board, old.model_copy(update={"servos": new}))
    changes = [
        (f"{name} {key.replace('_', ' ')}", f"{before:g}", f"{after:g}")
        for name in names
        for (key, before), (_, after) in zip(old.servos[name], held.servos[name], strict=True)
        if before != after
    ]
    if json:
        print_json(
            {
                "old": {name: old.servos[name].model_dump() for name in names},
                "new": {name: held.servos[name].model_dump() for name in names},
            }
        )
        return
    _show(changes, "EEPROM")


def _servo(
    board: Board,
    settings: BoardSettings,
    name: str,
    at_deg: float,
    zero_deg: float | None,
    measured_deg: float | None,
    lowest_deg: float | None,
    highest_deg: float | None,
) -> ServoSetting:
    from reflexarc.firmware_bridge.calibration import calibrated_servo, check_servo

    old = settings.servos[name]
    asks = all(value is None for value in (zero_deg, measured_deg, lowest_deg, highest_deg))
    new = old
    if asks or zero_deg is not None or measured_deg is not None:
        zero_at = _move(board, name, 0.0)
        zero = _ask(zero_deg, f"{name}: told {zero_at:g}°; where does it really stand?")
        at = _move(board, name, at_deg)
        measured = _ask(measured_deg, f"{name}: told {at:g}°; where does it really stand?")
        new = calibrated_servo(old, zero, at, measured)
    limits = {"lowest_deg": lowest_deg, "highest_deg": highest_deg}
    for key, value in limits.items():
        if asks:
            limits[key] = typer.prompt(
                f"{name}: {key.removesuffix('_deg')} angle it may go to",
                default=getattr(old, key),
                type=float,
                err=True,
            )
        elif value is None:
            limits[key] = getattr(old, key)
    return check_servo(new.model_copy(update=limits))


def _move(board: Board, name: str, angle: float) -> float:
    """Go there and arrive; gives the angle after the chip's clamping."""
    target = board.set_servos({name: angle})[name]
    state = board.wait_state()
    start_us = moved_us = state.chip_us
    while state.chip_us < min(moved_us + _SETTLE_S * 1e6, start_us + _SERVO_S * 1e6):
        state = board.wait_state(after=state)
        if state.servos[name] != target:
            moved_us = state.chip_us
    return target


@verb.command()
def show(
    port: PortArgument = "auto", baudrate: BaudOption = BAUDRATE, json: JsonOption = False
) -> None:
    """Show what holds now, and whether it came from EEPROM."""
    from reflexarc.firmware_bridge import Board
    from reflexarc.firmware_bridge.calibration import counts_per_mm

    with Board.connect(port, baudrate=baudrate) as board:
        held, source = board.read_settings(), board.info.settings_source
    if json:
        print_json({"source": source, "settings": held.model_dump()})
        return
    rows = [
        ("wheel diameter, mm", f"{held.wheel_diameter_mm:g}"),
        ("wheel separation, mm", f"{held.wheel_separation_mm:g}"),
        ("counts per revolution", f"{held.counts_per_revolution}"),
        ("counts per metre", f"{counts_per_mm(held) * 1000:.0f}"),
    ]
    for name, one in held.servos.items():
        words = f"{one.lowest_deg:g}° to {one.highest_deg:g}°, {one.trim_us:+d} us, "
        rows.append((name, words + f"{one.scale_us} us for 90°"))
    from_ = {"saved": "EEPROM", "empty": "built-in: EEPROM is empty"}.get(source, source)
    out.print(table(("calibration", from_), rows))


def _ready(words: str, given: float | None) -> None:
    """Nothing drives before a person is ready; nobody is asked who has given the answer."""
    if given is None:
        typer.prompt(f"{words}; Enter starts", default="", show_default=False, err=True)
    else:
        err.print(f"[bold yellow]{words}[/]", highlight=False)


def _ask(given: float | None, question: str) -> float:
    return given if given is not None else float(typer.prompt(question, type=float, err=True))


def _show(rows: Sequence[Change], where: str) -> None:
    if not rows:
        out.print("nothing has changed")
        return
    out.print(table(("measure", "old", "new"), rows))
    out.print(f"written to {where}", highlight=False, soft_wrap=True)
