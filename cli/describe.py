"""`reflexarc describe`: the robot's body as URDF, SDF or MJCF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.output import err, out, table
from reflexarc.core import ReflexarcError, atomic_write

if TYPE_CHECKING:
    from reflexarc.sim.description import Description


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(describe)


def describe(
    robot: Annotated[
        Path | None, typer.Argument(help="A robot.yaml with its measures; the usual ones without.")
    ] = None,
    urdf: Annotated[bool, typer.Option("--urdf", help="For ROS, RViz and most tools.")] = False,
    sdf: Annotated[bool, typer.Option("--sdf", help="For Gazebo, with its plugins.")] = False,
    mjcf: Annotated[bool, typer.Option("--mjcf", help="For MuJoCo, with a floor.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write it to this file instead of the terminal.")
    ] = None,
) -> None:
    """Print the robot's body for other programs; without a format, a table of its links.

    All three formats are made from one description, with the measures of robot.yaml.
    """
    wanted = [
        name for name, is_wanted in (("urdf", urdf), ("sdf", sdf), ("mjcf", mjcf)) if is_wanted
    ]
    if len(wanted) > 1 or (output is not None and not wanted):
        raise ReflexarcError(
            expected="one format: --urdf, --sdf or --mjcf",
            found=" and ".join(f"--{name}" for name in wanted) or "none, to write a file in",
            remedy="ask for one at a time",
        )
    body = _body(robot)
    if not wanted:
        _tell(body)
        return
    text = _write(body, wanted[0])
    if output is None:
        sys.stdout.write(text)
    else:
        with atomic_write(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
        err.print(str(output), highlight=False, soft_wrap=True)


def _body(robot: Path | None) -> Description:
    from reflexarc.robot.config import RobotConfig, load_config
    from reflexarc.sim.description import Measures, rover

    config = RobotConfig() if robot is None else load_config(robot)
    return rover(
        Measures(
            wheel_diameter_m=config.geometry.wheel_diameter_m,
            wheel_separation_m=config.geometry.wheel_separation_m,
            counts_per_revolution=config.geometry.counts_per_revolution,
            camera_hfov_deg=config.camera.horizontal_fov_deg,
        )
    )


def _write(body: Description, name: str) -> str:
    if name == "urdf":
        from reflexarc.sim.urdf import to_urdf

        return to_urdf(body)
    if name == "sdf":
        from reflexarc.sim.sdf import to_sdf

        return to_sdf(body)
    from reflexarc.sim.mjcf import to_mjcf

    return to_mjcf(body)


def _tell(body: Description) -> None:
    rows = []
    for link in body.links:
        joint = body.joint_of(link.name)
        mass = f"{1000 * link.inertia.mass_kg:.0f}" if link.inertia else "–"
        hangs = ("–", "–", "–") if joint is None else (joint.parent, joint.name, joint.kind)
        rows.append((link.name, mass, *hangs))
    out.print(table(("link", "grams", "hangs on", "by", "which is"), rows))
    measures = body.measures
    out.print(
        f"{body.mass_kg:.3f} kg; wheels of {1000 * measures.wheel_diameter_m:g} mm, "
        f"{1000 * measures.wheel_separation_m:g} mm apart",
        highlight=False,
    )
