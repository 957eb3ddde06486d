"""Pictures of training and testing, as PNG bytes."""

from __future__ import annotations

import io

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
            (name, "training (varied, 1 in 5 is clutter)"),
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
    figure = Figure(figsize=(5.2, 4.8), layout="constrained")
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
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("read as")
    axis.set_ylabel("is")
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
