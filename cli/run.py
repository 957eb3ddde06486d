"""`reflexarc run`: a whole robot from one robot.yaml, in one process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.output import err

if TYPE_CHECKING:
    from reflexarc.robot.events import Event


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(run)


def run(
    robot: Annotated[Path, typer.Argument(help="The robot.yaml.")],
    source: Annotated[str | None, typer.Option(help="Instead of perception.source.")] = None,
    port: Annotated[str | None, typer.Option(help="Instead of board.port.")] = None,
    say: Annotated[
        list[str] | None, typer.Option(help="An order to begin with; may be repeated.")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, help="Of pictures, 20 if left out; not of videos."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON line an event.")] = False,
) -> None:
    """See, decide and drive until the source ends or Ctrl-C; the motors end stopped.

    While it runs, `reflexarc say "..."` talks to it and `reflexarc stop` stops it.
    """
    from reflexarc.cli.robots import camera_of, connected, manual, planner_of, tell
    from reflexarc.perception.cameras import CameraError
    from reflexarc.robot.config import load_config
    from reflexarc.robot.living import living

    config = load_config(robot)
    source = source or config.perception.source
    if not source:
        raise CameraError(
            expected="perception.source in robot.yaml, or --source",
            found="neither",
            remedy="name a camera, a folder of pictures or a video",
        )

    def show(event: Event) -> None:
        tell(event.as_dict(), as_json=json)

    with (
        camera_of(source, config, fps) as frames,
        connected(config, port) as board,
        living(config, board, planner_of(config), on_event=show, answer=manual()) as alive,
    ):
        faults = board.state.faults if board.state is not None else ()
        if faults:
            err.print(
                f"{config.name}: stopped, the board says: {', '.join(sorted(faults))}; when that "
                "is mended, `reflexarc stop --release` in another terminal arms it"
            )
        else:
            err.print(f"{config.name}: armed; Ctrl-C stops it")
        for text in say or ():
            tell(alive.hear(text).as_dict(), as_json=json)
        alive.robot.see(frames)
