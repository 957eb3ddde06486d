"""What a check leaves behind: one HTML page without links out, JSON, and the pictures."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import jinja2
import matplotlib

from reflexarc.core import atomic_write
from reflexarc.export.check.noise import LayerNoise
from reflexarc.export.check.remedies import MOST_DROP
from reflexarc.export.check.run import Checked
from reflexarc.export.parity import is_pose

matplotlib.use("Agg")

from matplotlib.figure import Figure


def write(checked: Checked, folder: Path) -> Path:
    """Write ``report.html``, ``report.json`` and ``worst/<format>-<rank>.png``; give the page."""
    for name, samples in checked.worst.items():
        for old in (folder / "worst").glob(f"{name}-[0-9].png"):
            old.unlink()
        for rank, sample in enumerate(samples):
            if sample.picture is not None:
                with atomic_write(folder / "worst" / f"{name}-{rank}.png") as temporary:
                    temporary.write_bytes(sample.picture)
    with atomic_write(folder / "report.json") as temporary:
        text = json.dumps(checked.as_dict(), ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reflexarc.export.check"), autoescape=True, trim_blocks=True
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["percent"] = lambda share: f"{100 * share:.2f} %"
    diagnosis = checked.diagnosis
    page = environment.get_template("check.html").render(
        checked=checked,
        pose=is_pose(checked.card),
        most_drop=MOST_DROP,
        noise_chart=noise_chart(diagnosis.noise, diagnosis.blamed) if diagnosis else None,
    )
    path = folder / "report.html"
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def noise_chart(noise: tuple[LayerNoise, ...], blamed: tuple[str, ...]) -> bytes:
    """SQNR by layer, PNG: with all noise, and with only the layer's own."""
    figure = Figure(figsize=(max(6.0, 0.24 * len(noise)), 4), layout="constrained")
    axis = figure.subplots()
    places = range(len(noise))
    axis.plot(places, [n.total_db for n in noise], marker="o", markersize=3, label="all noise")
    own = [(i, n.own_db) for i, n in enumerate(noise) if n.own_db < 100]
    axis.plot(*zip(*own, strict=True), "x", color="tab:orange", label="its own noise")
    axis.set_xticks(places, [n.layer for n in noise], rotation=90, fontsize=7)
    for tick, layer in zip(axis.get_xticklabels(), noise, strict=True):
        if layer.layer in blamed[:8]:
            tick.set_color("tab:red")
    axis.set_ylabel("SQNR (dB)")
    axis.grid(alpha=0.3)
    axis.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
