"""`reflexarc replay`: whether tasks say the same of a recording again, to the last bit."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from reflexarc.cli.frames import Frames
from reflexarc.cli.output import JsonOption, err, out, print_json, table
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
    from reflexarc.perception.recording import Recording, TaskRun
    from reflexarc.perception.tasks import Task


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name, cls=WithBareJsonl)(replay)


def replay(
    file: Annotated[Path, typer.Argument(help="A recording: run.mcap.")],
    task: Annotated[str | None, typer.Option(help="Only these of its tasks: a,b.")] = None,
    device: Annotated[str | None, typer.Option(help="Instead of the recorded one.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Compare with other models, or blurred frames, too.")
    ] = False,
    show: ShowOption = False,
    terminal: TerminalOption = False,
    serve: ServeOption = None,
    save: SaveOption = None,
    fps: FpsOption = None,
    blur_faces: BlurOption = False,
    jsonl: JsonlOption = None,
    json: JsonOption = False,
) -> None:
    """Show the recorded frames to the same tasks with the same options, and compare.

    Exit code 0: every observation is the same, bit for bit. 1: some differ; it says where
    the first one does and how. 2: it cannot be compared, other models for instance.
    """
    from reflexarc.cli.looking import open_blur, progress
    from reflexarc.perception.overlay import marks_of
    from reflexarc.perception.preview import View
    from reflexarc.perception.recording import Recording, Replay, other_tools

    recording = Recording(file)
    chosen = _chosen(recording, task)
    tasks, runs = _open(recording, chosen, device, anyway)
    blur = open_blur(device or "auto") if blur_faces else None
    again = Replay(recording, tasks)
    frames = Frames()
    with ExitStack() as stack:
        outputs = Outputs(
            stack, save=save, show=show, terminal=terminal, serve=serve, jsonl=jsonl, fps=fps
        )
        stack.enter_context(frames)
        bar = stack.enter_context(progress(outputs.prints, outputs.takes_screen))
        shown = bar.add_task("", total=recording.frames)
        for frame in frames.of(again):
            for observation in again.said:
                outputs.say(observation)
            if outputs.shows:
                visible = blur.blur(frame) if blur else frame
                outputs.show(View(visible, tuple(again.said), marks_of(tasks.values())))
            bar.advance(shown)
            if outputs.ended:
                break
    if frames.interrupted or outputs.ended:
        raise KeyboardInterrupt
    if frames.failure is not None:
        raise frames.failure
    notes = [*outputs.notes, *(f"changed: {change}" for change in other_tools(recording, runs))]
    if not recording.is_whole:
        notes.append(f"{file} is not finished: compared as far as it goes")
    if again.other_pixels:
        notes.append(f"{again.other_pixels} frames decode to other pixels than were seen then")
    reports = [vars(report) for report in again.reports.values()]
    equal = not any(report["different"] for report in reports)
    if json:
        print_json({"equal": equal, "frames": frames.count, "tasks": reports, "notes": notes})
    else:
        _print(recording, reports, equal, notes, err if outputs.prints else out)
    raise typer.Exit(0 if equal else 1)


def _chosen(recording: Recording, task: str | None) -> list[str]:
    """The recorded tasks that are wanted.

    Raises:
        RecordingError: one that was not recorded, or none at all.
    """
    import difflib

    from reflexarc.perception.recording import RecordingError

    names = list(recording.runs) if task is None else [name.strip() for name in task.split(",")]
    for name in names:
        if name not in recording.runs:
            near = difflib.get_close_matches(name, recording.runs, n=1, cutoff=0.5)
            raise RecordingError(
                expected=f"a task of the recording: {', '.join(recording.runs) or 'it has none'}",
                found=repr(name),
                remedy=f"did you mean {near[0]}?"
                if near
                else f"`reflexarc see {recording.path} --task {name}` looks at its frames",
            )
    if not names:
        raise RecordingError(
            expected=f"tasks in {recording.path}",
            found="none",
            remedy="record with `reflexarc see SOURCE --task … --record run.mcap`",
        )
    return list(dict.fromkeys(names))


def _open(
    recording: Recording, names: list[str], device: str | None, anyway: bool
) -> tuple[dict[str, Task], dict[str, TaskRun]]:
    """The tasks, as they were opened for the recording.

    Raises:
        RecordingError: other models than then, or blurred frames, unless `anyway`.
    """
    from reflexarc.perception.recording import RecordingError, open_run, other_models

    if recording.blurred and not anyway:
        raise RecordingError(
            expected="the frames that the tasks saw",
            found=f"frames with blurred faces in {recording.path} (--blur-faces): the tasks saw "
            "them before, so what they say now cannot be the same",
            remedy="record without --blur-faces, or compare with --anyway",
        )
    tasks, runs = {}, {}
    for name in names:
        then = recording.runs[name]
        with quiet():
            tasks[name], now = open_run(name, then.model, device or then.device, then.options)
        changed = other_models(then, now)
        if changed and not anyway:
            raise RecordingError(
                expected=f"the models that {name} was recorded with",
                found="; ".join(changed).replace("; ", ", "),
                remedy="put the recorded files back, or compare with --anyway",
            )
        runs[name] = now
    return tasks, runs


def _print(
    recording: Recording, reports: list[dict[str, Any]], equal: bool, notes: list[str], to: Any
) -> None:
    rows = [(r["task"], str(r["looks"]), str(r["different"]), r["first"]) for r in reports]
    to.print(table(("task", "looks", "different", "first difference"), rows))
    verdict = "[green]the same, bit for bit[/]" if equal else "[red]different[/]"
    started = f", recorded {recording.started}" if recording.started else ""
    to.print(f"{escape(str(recording.path))}{started}: {verdict}", highlight=False)
    for note in notes:
        err.print(escape(note), highlight=False, soft_wrap=True)
