"""What a launch tells, on the screen: `[base] its line`, a colour for each process."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from reflexarc.cli.output import err, out, print_line
from reflexarc.robot.launching import Outcome, Told

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red", "bright_cyan", "white")
_PREFIX = Text("[launch] ", style="bold")


class Screen:
    """Lines of the processes to stdout, what the launcher says of them to stderr."""

    def __init__(self, labels: Iterable[str]) -> None:
        """For processes with these labels."""
        self._colours = {
            label: _COLOURS[index % len(_COLOURS)] for index, label in enumerate(labels)
        }

    def __call__(self, told: Told) -> None:
        """Show one thing."""
        if told.kind == "line":
            prefix = Text(f"[{told.label}] ", style=self._colours.get(told.label, "dim"))
            _print(out, prefix + Text.from_ansi(told.text))
            return
        if told.kind == "state" and told.text != "active":
            return
        words = f"{told.label} {told.text}" if told.label else told.text
        if told.kind in ("started", "state"):
            words = f"{told.label}: {told.text}"
        elif told.kind == "stopping":
            words = f"{told.text}: all stop"
        style = {"ended": "yellow", "waiting": "yellow", "warning": "red", "up": "green"}
        _print(err, _PREFIX + Text(words, style=style.get(told.kind, "")))

    def end(self, outcome: Outcome) -> None:
        """The last line."""
        _print(err, _PREFIX + Text(outcome.summary))


def _print(console: Console, line: Text) -> None:
    try:
        console.print(line, soft_wrap=True)
    except SystemExit as error:
        # rich ends the process when nobody reads any more; ours has others to end first.
        raise BrokenPipeError from error


class JsonLines:
    """One JSON line for each thing."""

    def __call__(self, told: Told) -> None:
        """Show one thing."""
        print_line({"kind": told.kind, "process": told.label or None, "text": told.text})

    def end(self, outcome: Outcome) -> None:
        """The last line."""
        print_line({"kind": "end", "code": outcome.code, "text": outcome.summary})
