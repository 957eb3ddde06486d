"""Where what is seen goes: JSON lines, a video, pictures, a window, a terminal, a browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from reflexarc.cli.output import err, out, print_line
from reflexarc.core import ReflexarcError, WriteError, atomic_write

if TYPE_CHECKING:
    from reflexarc.perception.observation import Observation
    from reflexarc.perception.preview import View

SaveOption = Annotated[
    Path | None, typer.Option(help="out.mp4, out.webm, or a folder for pictures.")
]
ShowOption = Annotated[bool, typer.Option("--show", help="In a window, or in this terminal.")]
TerminalOption = Annotated[bool, typer.Option("--terminal", help="In this terminal.")]
ServeOption = Annotated[
    str | None, typer.Option(metavar="[HOST:]PORT", help="To browsers, on this machine only.")
]
JsonlOption = Annotated[
    str | None,
    typer.Option(metavar="[FILE]", help="A JSON line for each observation; stdout if no FILE."),
]
BlurOption = Annotated[
    bool, typer.Option("--blur-faces", help="In everything shown, saved, served or recorded.")
]
FpsOption = Annotated[
    float | None, typer.Option(min=0.1, max=240, help="Of a saved video; else as it was filmed.")
]

VIDEO_ENDINGS = (".mp4", ".webm")
_OTHER_FILES = re.compile(r"\.(avi|mkv|mov|m4v|gif|mpe?g|jpe?g|png|bmp|webp|tiff?|json.?|mcap)")


class WithBareJsonl(typer.core.TyperCommand):
    """A command whose ``--jsonl`` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Say what it stands for."""
        filled = []
        for argument, following in zip(args, [*args[1:], "--"], strict=True):
            filled.append(argument)
            if argument == "--jsonl" and following.startswith("-") and following != "-":
                filled.append("-")
        return super().parse_args(ctx, filled)


class Outputs:
    """Everything that was asked for. Closes in the order in which it must.

    Attributes:
        takes_screen: the terminal is not free for anything else.
        is_video: a video is being made.
        notes: for the user, after the end.
    """

    def __init__(
        self,
        stack: ExitStack,
        *,
        save: Path | None = None,
        show: bool = False,
        terminal: bool = False,
        serve: str | None = None,
        jsonl: str | None = None,
        fps: float | None = None,
    ) -> None:
        """Open them all, or none.

        Args:
            stack: closes them.
            save, show, terminal, serve, jsonl, fps: what the command line says.

        Raises:
            ReflexarcError: one of them cannot be had.
        """
        self.notes: list[str] = []
        self.takes_screen = self.is_video = False
        self._views: list[Callable[[View], None]] = []
        self._window: Any = None
        self._lines: Callable[[dict[str, Any]], None] | None = None
        if save is not None:
            self._save(stack, save, fps)
        if serve is not None:
            self._serve(stack, serve)
        if jsonl == "-":
            self._lines = print_line
        elif jsonl is not None:
            self._lines = stack.enter_context(JsonLines(Path(jsonl))).write
        if show or terminal:
            self._show(stack, terminal, jsonl)

    @property
    def shows(self) -> bool:
        """Somebody takes views."""
        return bool(self._views)

    @property
    def prints(self) -> bool:
        """JSON lines go to stdout."""
        return self._lines is print_line

    @property
    def ended(self) -> bool:
        """The user has closed the window."""
        return self._window is not None and self._window.ended

    def say(self, observation: Observation) -> None:
        """Write an observation down."""
        if self._lines is not None:
            self._lines(observation.as_dict())

    def show(self, view: View) -> None:
        """Show a view everywhere."""
        for take in self._views:
            take(view)

    def _save(self, stack: ExitStack, save: Path, fps: float | None) -> None:
        if save.suffix.lower() in VIDEO_ENDINGS and not save.is_dir():
            from reflexarc.perception.recording.video import VideoFileWriter

            video = stack.enter_context(VideoFileWriter(save, fps))
            self.is_video = True
            self.notes += [video.note] * bool(video.note)
            self._views.append(lambda view: video.put(view.drawn, view.frame.stamp_ns))
            return
        if _OTHER_FILES.fullmatch(save.suffix.lower()) and not save.is_dir():
            raise WriteError(
                expected="--save out.mp4, out.webm, or a folder for pictures",
                found=str(save),
                remedy="change the ending",
            )
        self._views.append(lambda view: save_picture(save, view))

    def _serve(self, stack: ExitStack, serve: str) -> None:
        from reflexarc.perception.preview import PreviewError, PreviewServer
        from reflexarc.perception.preview.server import LOOPBACK

        host, _, port = serve.rpartition(":")
        if not port.isdecimal():
            raise PreviewError(
                expected="--serve [HOST:]PORT", found=serve, remedy="write --serve 8080"
            )
        server = stack.enter_context(PreviewServer(int(port), host.strip("[]") or LOOPBACK))
        err.print(f"see {server.url}", highlight=False)
        if not server.only_local:
            err.print(
                f"[yellow]warning:[/] frames leave this machine: whoever reaches port "
                f"{server.port} sees them",
                highlight=False,
            )
        self._views.append(server.show)

    def _show(self, stack: ExitStack, terminal: bool, jsonl: str | None) -> None:
        from reflexarc.perception.preview import PreviewError, TerminalView, Window, why_no_window

        lacking = "" if terminal else why_no_window()
        if not terminal and not lacking:
            self._window = Window("reflexarc")
            stack.callback(self._window.close)
            self._views.append(self._window.show)
            return
        if lacking:
            self.notes.append(f"shown in the terminal: {lacking}")
        if jsonl == "-":
            raise PreviewError(
                expected="the terminal for frames or for JSON lines",
                found="both",
                remedy="write --jsonl FILE",
            )
        view = stack.enter_context(TerminalView(out))
        self.takes_screen = True
        self._views.append(view.show)


def save_picture(folder: Path, view: View) -> None:
    """Write a drawn frame as PNG into the folder; times are not drawn, they would differ.

    Raises:
        WriteError: the folder cannot be written, or the disk is full.
    """
    import cv2

    from reflexarc.perception.overlay import draw

    frame = view.frame
    stem = re.sub(r"[^\w.-]+", "_", Path(frame.source).stem)
    picture = draw(frame.image, view.observations, marks=view.marks)
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    with atomic_write(folder / f"{stem}-{frame.seq:06d}.png") as temporary:
        temporary.write_bytes(png.tobytes())


class JsonLines:
    """A file of JSON lines that holds whole lines only, also when the disk is full."""

    def __init__(self, path: Path) -> None:
        """Create it.

        Raises:
            WriteError: it cannot be written.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise self._error(error) from error

    def write(self, data: dict[str, Any]) -> None:
        """Write a line, at once.

        Raises:
            WriteError: no room. The lines before stay.
        """
        line = json.dumps(data, ensure_ascii=False).encode() + b"\n"
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            with contextlib.suppress(OSError):  # a pipe has no end to cut off
                os.ftruncate(self._file.fileno(), self._file.tell() - written)
            raise self._error(error) from error

    def __enter__(self) -> JsonLines:
        """The file itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self._file.close()

    def _error(self, error: OSError) -> ReflexarcError:
        return WriteError(
            expected=f"to write {self._path}",
            found=error.strerror or str(error),
            remedy="free some space, or write to another folder; lines until then are whole",
        )
