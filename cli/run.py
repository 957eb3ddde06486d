"""`reflexarc run`: a whole robot from one robot.yaml, in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import err, open_eyes, out, print_line

if TYPE_CHECKING:
    from reflexarc.perception.cameras import Camera
    from reflexarc.perception.frame import Frame
    from reflexarc.robot.controller import Event


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(run)


def run(
    robot: Annotated[Path, typer.Argument(help="The robot.yaml.")],
    source: Annotated[str | None, typer.Option(help="Instead of perception.source.")] = None,
    port: Annotated[str | None, typer.Option(help="Instead of board.port.")] = None,
    fps: Annotated[float, typer.Option(min=0.1, help="Pace of pictures and videos.")] = 20.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON line an event.")] = False,
) -> None:
    """See, decide and drive until the source ends or Ctrl-C; the motors end stopped."""
    from reflexarc.firmware_bridge import Board
    from reflexarc.perception.cameras import CameraError, open_camera
    from reflexarc.robot import loop
    from reflexarc.robot.config import load_config

    config = load_config(robot)
    look = config.perception
    eyes = open_eyes(look.task, look.model, **look.options)
    source = source or look.source
    if not source:
        raise CameraError(
            expected="perception.source in robot.yaml, or --source",
            found="neither",
            remedy="name a folder of pictures or a video",
        )

    def tell(event: Event) -> None:
        rolled = event.travel
        if json:
            print_line(
                {
                    "event": event.kind,
                    "text": event.text,
                    "action": event.action.model_dump() if event.action else None,
                    "left_m": rolled.left if rolled else None,
                    "right_m": rolled.right if rolled else None,
                }
            )
        else:
            wheels = f" (wheels {rolled.left:+.3f}, {rolled.right:+.3f} m)" if rolled else ""
            out.print(f"{event.kind}: {escape(event.text)}{wheels}", highlight=False)

    wanted = port or config.board.port
    with (
        open_camera(source) as camera,
        Board.connect(wanted, baudrate=config.board.baudrate) as board,
    ):
        err.print(f"{config.name}: armed; Ctrl-C stops it")
        loop.run(config, _paced(camera, fps), eyes, board, on_event=tell)


def _paced(camera: Camera, fps: float) -> Iterator[Frame]:
    """Frames of a file at the pace of life, stamped when they are shown."""
    from dataclasses import replace

    start = time.monotonic()
    for number, frame in enumerate(camera):
        time.sleep(max(0.0, start + number / fps - time.monotonic()))
        yield replace(frame, stamp_ns=time.monotonic_ns())
