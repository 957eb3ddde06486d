"""Every family, from data or packaged weights to an INT8 file: one row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reflexarc.core import atomic_write
from reflexarc.export import edgetpu, package
from reflexarc.export.contents import read_contents
from reflexarc.export.convert import ExportError
from reflexarc.export.modelcard import write_markdown
from reflexarc.models.family import Family, Options
from reflexarc.models.plots import confusion_matrix
from reflexarc.models.registry import FAMILIES
from reflexarc.models.training import train_once

if TYPE_CHECKING:
    from reflexarc.export.clips import Watched

# Where a family's data lies under the data root; the others bring their own.
_TAKES = 200
DATA_FOLDERS = {"transfer": "clothing10", "mask": "mask"}
CLIPS_FOLDER = "situps"


@dataclass(frozen=True)
class Row:
    """One family in the closing table.

    Attributes:
        title: the family, and what sets this row apart.
        measure: what `float_score` and `int8_score` are shares of.
        test_size: samples in the test set.
        p50_ms: INT8, one sample, one thread.
        mapped, operators: of the INT8 file's operators, how many an Edge TPU takes.
        ready: the weights come from a package.
        reused: the trained model was there already.
    """

    family: str
    title: str
    data: str
    measure: str
    test_size: int
    float_score: float
    int8_score: float
    metrics: dict[str, float]
    size_bytes: int
    p50_ms: float
    mapped: int
    operators: int
    file: str
    ready: bool
    reused: bool

    @property
    def drop(self) -> float:
        """Share lost by INT8; negative where it gained."""
        return self.float_score - self.int8_score

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "drop": self.drop}


def data_folder(name: str, root: Path | None) -> Path | None:
    """The folder of family `name` under the data root, where there is one."""
    if root is None or name not in DATA_FOLDERS:
        return None
    folder = root / DATA_FOLDERS[name]
    return folder if folder.is_dir() else None


def build(
    family: Family,
    data: Path | None,
    folder: Path,
    options: Options,
    tell: Callable[[str], None],
    *,
    ready: bool = False,
) -> Row:
    """Train or import `family`, export it to INT8, measure the file, write its page.

    Args:
        family: one of the registry.
        data: its data set's folder; None for what packages carry.
        folder: where ``model.keras`` and the model file go.
        options: of the training.
        tell: is called with the name of each step.
        ready: import the packaged weights instead of training.

    Raises:
        ReflexarcError: a step could not be done.
    """
    tell("data")
    splits = family.load(data)
    source, reused = train_once(family, splits, options, folder, ready=ready)
    done = package.export(source, splits, ("int8",), folder, tell=tell)
    keras, int8 = done.table
    file = done.files["int8"]
    if done.confusion is not None:
        with atomic_write(folder / "confusion.png") as temporary:
            temporary.write_bytes(confusion_matrix(done.confusion, splits.labels))
    write_markdown(read_contents(file), file.with_suffix(".md"))
    report = edgetpu.check(file)
    counts = {}
    if family.task == "situps":
        tell(f"count {_TAKES} takes that training never saw")
        counts = count_situps(file)
    return Row(
        family=family.name,
        title=f"{family.name}, packaged weights" if ready and data else family.name,
        data=splits.source.name,
        measure=measure_of(family),
        test_size=len(splits.test),
        float_score=keras.accuracy,
        int8_score=int8.accuracy,
        metrics={**int8.metrics, **counts},
        size_bytes=int8.size_bytes,
        p50_ms=int8.p50_ms,
        mapped=report.mapped,
        operators=len(report.ops),
        file=str(file),
        ready=ready,
        reused=reused,
    )


def count_situps(file: Path) -> dict[str, float]:
    """Share of held-out takes of the body model that each counter counts exactly."""
    from reflexarc.models.situps import score
    from reflexarc.perception.runtime import load_model
    from reflexarc.perception.tasks.situps.geometry import GeometricCounter
    from reflexarc.perception.tasks.situps.phases import PhaseCounter

    model, takes = load_model(file), score.held_out(_TAKES)
    return {
        "exact_counts": score.tally(lambda: PhaseCounter(model), takes).exact / _TAKES,
        "exact_counts_geometric": score.tally(GeometricCounter, takes).exact / _TAKES,
    }


def watch_clips(rows: Sequence[Row], folder: Path, tell: Callable[[str], None]) -> list[Watched]:
    """Sit-ups in real clips, with the pose and sit-up files of these rows; none without both."""
    from reflexarc.export.clips import count_folder
    from reflexarc.perception.runtime import load_model

    made = {row.family: Path(row.file) for row in rows}
    if not {"movenet", "situps"} <= made.keys():
        return []
    return count_folder(folder, load_model(made["movenet"]), load_model(made["situps"]), tell)


def plans(name: str, data: Path | None) -> tuple[bool, ...]:
    """Which models of a family to make: imported (True), trained (False), or both.

    With data of its own a family is trained, and its packaged weights are measured
    on the same data beside it; without data they are all there is.
    """
    if FAMILIES[name].ready is None:
        return (False,)
    return (False, True) if data and name in DATA_FOLDERS else (True,)


def measure_of(family: Family) -> str:
    """What a family's scores are shares of."""
    return {"pose": "PCK", "situps": "phases"}.get(family.task, "accuracy")


def names(only: str | None) -> tuple[str, ...]:
    """The families asked for, in the registry's order."""
    if only is None:
        return tuple(FAMILIES)
    wanted = {name.strip() for name in only.split(",")}
    unknown = wanted - set(FAMILIES)
    if unknown:
        raise ExportError(
            expected=f"families out of {', '.join(FAMILIES)}",
            found=repr(sorted(unknown)[0]),
            remedy="write them with commas between",
        )
    return tuple(name for name in FAMILIES if name in wanted)
