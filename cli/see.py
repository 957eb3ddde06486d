"""`reflexarc see`: what tasks find in pictures, a video, a recording or a camera."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.output import JsonOption, print_json
from reflexarc.cli.outputs import (
    BlurOption,
    FpsOption,
    JsonlOption,
    Outputs,
    SaveOption,
    ServeOption,
    ShowOption,
    TerminalOption,
    WithBareJsonl,
)
from reflexarc.core import quiet

if TYPE_CHECKING:
    from reflexarc.cli.task_options import Chosen
    from reflexarc.perception.cameras import Camera
    from reflexarc.perception.recording import TaskRun
    from reflexarc.perception.tasks import Task

_PICTURES_FPS = 2.0
"""Of a video of pictures, which were taken at no rate."""


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name, cls=WithBareJsonl)(see)


def see(
    source: Annotated[
        str,
        typer.Argument(
            help="A picture, a folder, a video, a recording, or a camera: 0, rtsp://…, synthetic:"
        ),
    ],
    task: Annotated[str, typer.Option(help="What to look for; several: a,b.")] = "digits",
    option: Annotated[
        list[str] | None, typer.Option(metavar="[TASK.]KEY=VALUE", help="Of a task; repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="[TASK=]PATH", help="Model file; the packaged one if left out."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where nets run: auto, cpu, edgetpu, …")] = "auto",
    every_n: Annotated[
        list[str] | None, typer.Option(metavar="[TASK:]N", help="Look at every n-th frame only.")
    ] = None,
    max_ms: Annotated[
        list[str] | None,
        typer.Option(metavar="[TASK:]MS", help="Slower than this, a task skips frames."),
    ] = None,
    smallest: Annotated[
        int | None, typer.Option(min=12, help="Height of the smallest digit, pixels of the frame.")
    ] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so long.")] = None,
    show: ShowOption = False,
    terminal: TerminalOption = False,
    serve: ServeOption = None,
    save: SaveOption = None,
    fps: FpsOption = None,
    record: Annotated[
        Path | None, typer.Option(help="run.mcap: for `reflexarc replay`, and Foxglove opens it.")
    ] = None,
    record_frames: Annotated[
        str, typer.Option(help="How frames are recorded: jpeg, png (lossless), or none.")
    ] = "jpeg",
    blur_faces: BlurOption = False,
    jsonl: JsonlOption = None,
    json: JsonOption = False,
) -> None:
    """Look at every frame of SOURCE and say what is there, or that nothing is.

    A file is seen whole; of a camera each task gets the newest frame. Frames stay on this
    machine unless --serve names a host. Ctrl-C ends it with whole files (exit code 130). A
    picture that cannot be read does not end it: the others are looked at first, then it is
    named and the exit code is 2.
    """
    from reflexarc.cli.looking import Looking, open_blur
    from reflexarc.cli.task_options import choose
    from reflexarc.perception.cameras import open_camera
    from reflexarc.perception.cameras.folder import PictureFolder
    from reflexarc.perception.cameras.picture import PictureFile
    from reflexarc.perception.recording import Recorder

    options = [*(option or ()), *([f"digits.smallest_px={smallest}"] if smallest else ())]
    chosen = choose(task, model or (), options, every_n or (), max_ms or ())
    tasks, runs = _open_tasks(chosen, device)
    prints = not (json or jsonl or show or terminal or serve or record)
    with ExitStack() as stack:
        camera: Camera = stack.enter_context(open_camera(source))
        if (
            fps is None
            and isinstance(camera, (PictureFile, PictureFolder))
            and "fps=" not in source
        ):
            fps = _PICTURES_FPS
        outputs = Outputs(
            stack,
            save=save,
            show=show,
            terminal=terminal,
            serve=serve,
            jsonl=jsonl,
            fps=fps,
        )
        recorder = None
        if record is not None:
            image_format = None if record_frames == "none" else record_frames
            recorder = stack.enter_context(
                Recorder(record, runs, image_format=image_format, blurred=blur_faces)
            )
        looking = Looking(
            chosen,
            tasks,
            outputs,
            blur=open_blur(device) if blur_faces else None,
            recorder=recorder,
            prints=prints and not outputs.is_video,
            keeps=json,
        )
        looking.run(camera, frames, seconds)
    if json:
        print_json(looking.kept)
    looking.summary(outputs.notes + ([f"recorded in {record}"] if record else []))
    looking.raise_failure()


def _open_tasks(chosen: list[Chosen], device: str) -> tuple[dict[str, Task], list[TaskRun]]:
    from reflexarc.perception.recording import open_run

    tasks, runs = {}, []
    for one in chosen:
        with quiet():
            tasks[one.name], run = open_run(one.name, one.model, device, one.options)
        runs.append(run)
    return tasks, runs
