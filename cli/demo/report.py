"""The demo's tables and its page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2
from rich.table import Table

from reflexarc.cli.demo import pictures
from reflexarc.cli.demo.courier import Drive
from reflexarc.cli.demo.latency import Station
from reflexarc.cli.demo.story import Story
from reflexarc.cli.output import table
from reflexarc.core import atomic_write
from reflexarc.models import plots


def write(story: Story, folder: Path) -> Path:
    """Write ``report.html`` (one file, no links out) and ``overview.png``; give the page."""
    overview = pictures.overview(story.drives)
    with atomic_write(folder / "overview.png") as temporary:
        temporary.write_bytes(overview)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reflexarc.cli.demo"), autoescape=True, trim_blocks=True
    )
    environment.filters["data_uri"] = _data_uri
    confusion = story.exported.confusion
    assert confusion is not None  # digits are classes
    page = environment.get_template("report.html").render(
        story=story,
        card=_card(story),
        overview=overview,
        confusion=plots.confusion_matrix(confusion, story.data.labels),
        curve=plots.training_curve(story.history),
        trace=pictures.pwm_trace(story.drives),
        frames=[(d, pictures.frame(d)) for d in story.drives if d.picture is not None],
    )
    path = folder / "report.html"
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def drive_table(drives: Sequence[Drive]) -> Table:
    """Each card with the distance that the encoders measured."""
    return table(
        ("card", "read", "order m", "encoders m", "off", "body m"),
        (
            (
                str(d.digit),
                "–" if d.seen is None else str(d.seen),
                f"{d.wanted_m:.1f}",
                "–" if d.measured_m is None else f"{d.measured_m:.4f}",
                f"{100 * d.error:.2f} %",
                f"{d.rolled_m:.4f}",
            )
            for d in drives
        ),
        title="Digit courier (emulated ATmega328P, real firmware)",
    )


def latency_table(stations: Sequence[Station], samples: int) -> Table:
    """Where the time from a frame to the motor pin goes."""
    return table(
        ("station", "clock", "p50 ms", "p99 ms", "p50 cycles", "p99 cycles"),
        (
            (
                s.name,
                s.clock,
                f"{s.p50_ms:.2f}",
                f"{s.p99_ms:.2f}",
                f"{s.p50_cycles:,}",
                f"{s.p99_cycles:,}",
            )
            for s in stations
        ),
        title=f"Frame to motor pin, {samples} starts (one control period is 10 ms)",
    )


def _card(story: Story) -> str:
    from reflexarc.perception.modelfile import read_card

    return read_card(story.exported.files["int8"]).model_dump_json(indent=2)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
