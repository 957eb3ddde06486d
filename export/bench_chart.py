"""A benchmark as a picture: time, memory and cold start of each file and engine."""

from __future__ import annotations

import io

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure

from reflexarc.export.bench import Bench

_COLOURS = matplotlib.colormaps["tab10"]


def chart(done: Bench) -> bytes:
    """PNG: one bar a row; the time's bar is p50, with lines on to p90 (thick) and p99 (thin)."""
    rows = done.rows[::-1]  # matplotlib counts from the bottom
    engines = sorted({row.engine for row in rows})
    colours = [_COLOURS(engines.index(row.engine) % 10) for row in rows]
    figure = Figure(figsize=(12, 1.4 + 0.32 * len(rows)), layout="constrained")
    time, memory, start = figure.subplots(1, 3, sharey=True, width_ratios=(2, 1, 1))
    places = range(len(rows))
    time.barh(places, [row.p50_ms for row in rows], color=colours)
    for place, row in zip(places, rows, strict=True):
        time.plot([row.p50_ms, row.p90_ms], [place, place], color="black", linewidth=2.5)
        time.plot([row.p90_ms, row.p99_ms], [place, place], color="black", linewidth=0.8)
    time.set_xscale("log")
    time.xaxis.set_major_formatter("{x:g}")
    time.set_xlabel("ms a sample: p50, p90, p99 (logarithmic)")
    time.set_yticks(places, [f"{row.file}  {row.engine}" for row in rows])
    memory.barh(places, [row.rss_bytes / 1e6 for row in rows], color=colours)
    memory.set_xlabel("memory of the process, MB")
    start.barh(places, [row.cold_start_s for row in rows], color=colours)
    start.set_xlabel("cold start, s")
    for axis in (time, memory, start):
        axis.grid(axis="x", alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
