"""`reflexarc see`: what a task finds in pictures or a video."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, open_eyes, out, print_json, print_line
from reflexarc.core import ReflexarcError, atomic_write


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(see)


def see(
    source: Annotated[str, typer.Argument(help="A picture, a folder of pictures, or a video.")],
    task: Annotated[str, typer.Option(help="What to look for: digits.")] = "digits",
    model: Annotated[
        Path | None, typer.Option(help="Model file; the packaged one if left out.")
    ] = None,
    smallest: Annotated[
        int, typer.Option(min=12, help="Lowest thing looked for, in pixels; larger is faster.")
    ] = 12,
    save: Annotated[Path | None, typer.Option(help="Folder for annotated pictures.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON line a frame.")] = False,
    json: JsonOption = False,
) -> None:
    """Look at every frame of SOURCE and say what is there, or that nothing is.

    A picture that cannot be read does not end it: the others are looked at
    first, then it is named and the exit code is 2.
    """
    from reflexarc.perception.cameras import open_camera

    eyes = open_eyes(task, model, smallest_px=smallest)
    everything: list[dict[str, Any]] = []
    frames = hits = 0
    with open_camera(source) as camera:
        try:
            for frame in camera:
                observation = eyes.process(frame)
                frames += 1
                hits += bool(observation.detections)
                if save:
                    _save(save, frame, observation)
                if jsonl:
                    print_line(observation.as_dict())
                elif json:
                    everything.append(observation.as_dict())
                else:
                    found = ", ".join(
                        f"[bold]{escape(d.label)}[/] {100 * d.score:.0f} % at "
                        f"{d.box.x:.0f},{d.box.y:.0f} {d.box.width:.0f}x{d.box.height:.0f}"
                        for d in observation.detections
                    )
                    where = f"{Path(observation.source).name} #{observation.seq}"
                    out.print(f"{escape(where)}: {found or 'nothing'}", highlight=False)
        except ReflexarcError:
            if json:
                print_json(everything)
                json = False
            raise
    if json:
        print_json(everything)
    if not jsonl:
        err.print(f"{frames} frames, {hits} with {task}" + (f", drawn in {save}" if save else ""))


def _save(folder: Path, frame: Any, observation: Any) -> None:
    import cv2

    from reflexarc.perception.overlay import draw

    name = f"{Path(frame.source).stem}-{frame.seq:06d}.png"
    _, png = cv2.imencode(".png", draw(frame, observation)[..., ::-1])
    with atomic_write(folder / name) as temporary:
        temporary.write_bytes(png.tobytes())
