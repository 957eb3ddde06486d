"""Pictures of training and testing, as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import numpy.typing as npt

matplotlib.use("Agg")

from matplotlib.figure import Figure


def training_curve(history: dict[str, list[float]]) -> bytes:
    """Loss and accuracy by epoch, training and validation."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axis, name, label in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("loss", "accuracy (%)"), strict=True
    ):
        scale = 100 if name == "accuracy" else 1
        for key, legend in (
            (name, "training (augmented)"),
            (f"val_{name}", "validation"),
        ):
            values = [scale * v for v in history[key]]
            axis.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=legend)
        axis.set_xlabel("epoch")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        axis.legend()
    return _png(figure)


def confusion_matrix(matrix: npt.NDArray[np.int64], labels: tuple[str, ...]) -> bytes:
    """Counts with true classes as rows; off the diagonal in colour by their share."""
    side = max(4.8, 0.45 * len(labels))
    figure = Figure(figsize=(side + 0.4, side), layout="constrained")
    axis = figure.subplots()
    wrong = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    share = wrong / np.maximum(matrix.sum(1, keepdims=True), 1)
    axis.imshow(share, cmap="Reds")
    dark = max(float(share.max()) * 0.6, 1e-9)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if share[row, column] > dark else "black"
            axis.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(labels)), labels)
    if max(map(len, labels)) > 3:
        axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("read as")
    axis.set_ylabel("is")
    return _png(figure)


def picture_grid(
    rows: Sequence[tuple[str, Sequence[tuple[npt.NDArray[np.uint8], str]]]],
) -> bytes:
    """Rows of pictures, each row with a heading and each picture with a caption.

    Args:
        rows: heading, then pairs of a uint8 RGB picture and what to say of it.
    """
    columns = max((len(pictures) for _, pictures in rows), default=1)
    figure = Figure(figsize=(1.7 * columns, 2.15 * len(rows)), layout="constrained")
    strips = figure.subfigures(len(rows), 1, squeeze=False)
    for strip, (heading, pictures) in zip(strips[:, 0], rows, strict=True):
        strip.suptitle(heading, fontsize=9, x=0.01, ha="left")
        for axis in strip.subplots(1, columns, squeeze=False)[0]:
            axis.axis("off")
        for axis, (picture, caption) in zip(strip.axes, pictures, strict=False):
            axis.imshow(picture)
            axis.set_title(caption, fontsize=7)
    return _png(figure)


def accuracy_bars(charts: Mapping[str, Mapping[str, tuple[float, int]]]) -> bytes:
    """Charts by title; in each, accuracy (0..1) and number of samples by the group's name."""
    charts = {title: groups for title, groups in charts.items() if groups}
    rows = [len(groups) for groups in charts.values()]
    figure = Figure(figsize=(7, 0.9 * len(rows) + 0.28 * sum(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 1, sharex=True, height_ratios=rows, squeeze=False)
    lowest = min(accuracy for groups in charts.values() for accuracy, _ in groups.values())
    for axis, (title, groups) in zip(grid[:, 0], charts.items(), strict=True):
        names = [f"{name} (n={count})" for name, (_, count) in groups.items()]
        bars = axis.barh(names, [100 * accuracy for accuracy, _ in groups.values()])
        axis.bar_label(bars, fmt="%.1f", fontsize=8, padding=2)
        axis.invert_yaxis()
        axis.tick_params(axis="y", labelsize=8)
        axis.set_xlim(max(0.0, 100 * lowest - 10), 104)
        axis.set_title(title, fontsize=9)
    grid[-1, 0].set_xlabel("accuracy (%)")
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
