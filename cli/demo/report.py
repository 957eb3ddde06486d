"""The demo's tables and its page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2
from rich.markup import escape
from rich.table import Table

from reflexarc.cli.box.latency import Station
from reflexarc.cli.box.record import Check, Run
from reflexarc.cli.demo import pictures, timeline
from reflexarc.cli.demo.story import Story
from reflexarc.cli.output import table
from reflexarc.core import atomic_write
from reflexarc.models import plots


def write(story: Story, folder: Path) -> Path:
    """Write ``report.html`` (one file, no links out), ``overview.png`` and ``timeline.png``;
    give the page."""
    drawn = {
        "overview": pictures.overview(story.run, story.film),
        "timeline": timeline.picture(story.run),
    }
    for name, png in drawn.items():
        with atomic_write(folder / f"{name}.png") as temporary:
            temporary.write_bytes(png)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reflexarc.cli.demo"), autoescape=True, trim_blocks=True
    )
    environment.filters["data_uri"] = _data_uri
    confusion = story.exported.confusion
    assert confusion is not None  # digits are classes
    page = environment.get_template("report.html").render(
        story=story,
        card=_card(story),
        **drawn,
        film=None if story.film is None else story.film.read_bytes(),
        confusion=plots.confusion_matrix(confusion, story.data.labels),
        curve=plots.training_curve(story.history),
        frames=pictures.fired_frames(story.run),
        lines=told(story.run),
    )
    path = folder / "report.html"
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def told(run: Run) -> list[tuple[str, str, str]]:
    """What was said and done: simulated seconds, what kind of line, its words."""
    lines = [(order.t, "you", str(order.value)) for order in run.orders]
    lines += [(reply.t, "robot", str(reply.value.get("text", ""))) for reply in run.replies]
    for event in run.events:
        kind = event.value["event"]
        rule = event.value["rule"]
        if kind in ("fired", "finished", "failed", "stopped"):
            by = f" (rule {rule})" if rule and kind != "fired" else ""
            lines.append((event.t, kind, f"{event.value['text']}{by}"))
    return [(f"{t - run.begin_s:.1f}", kind, words) for t, kind, words in sorted(lines)]


def told_table(run: Run) -> Table:
    """The same for the terminal."""
    return table(
        ("s", "", "orders, rules and what was done"),
        ((t, kind, escape(words)) for t, kind, words in told(run)),
        title="The run in the box (emulated ATmega328P, real firmware, MuJoCo body)",
    )


def check_table(checks: Sequence[Check]) -> Table:
    """What was promised, and what was found."""
    marks = {True: "[green]held[/]", False: "[red]failed[/]"}
    return table(
        ("check", "found", ""),
        (
            (
                escape(check.name),
                escape(check.found),
                marks[check.held] if check.held or check.binding else "[yellow]missed[/]",
            )
            for check in checks
        ),
    )


def latency_table(stations: Sequence[Station], starts: int) -> Table:
    """Where the time from a frame to the motor pin goes."""
    return table(
        ("station", "clock", "p50 ms", "worst ms"),
        ((s.name, s.clock, f"{s.p50_ms:.2f}", f"{s.worst_ms:.2f}") for s in stations),
        title=f"Frame to motor pin, {starts} starts (one control period is 10 ms)",
    )


def _card(story: Story) -> str:
    from reflexarc.perception.modelfile import read_card

    return read_card(story.exported.files["int8"]).model_dump_json(indent=2)


def _data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")
