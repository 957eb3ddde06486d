"""What the demo does, in order, and what must hold at the end."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from reflexarc.cli.box import film, latency
from reflexarc.cli.box.judges import Judge
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, EngineName, Run
from reflexarc.cli.box.run import run
from reflexarc.cli.output import err
from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.export import package
from reflexarc.models import training
from reflexarc.models.family import Dataset, History, Options
from reflexarc.models.mnist_cnn import FAMILY
from reflexarc.sim.scenario import load_scenario

SCENARIO = "demo"
MIN_ACCURACY = 0.992
MAX_INT8_LOSS = 0.001
MAX_INT8_BYTES = 300_000
MAX_LATENCY_MS = 80.0
CONTROL_PERIOD_MS = 10.0
PWM_PERIOD_MS = 0.2


@dataclass(frozen=True)
class Story:
    """Everything the report shows."""

    data: Dataset
    history: History
    reused: bool
    exported: package.Exported
    run: Run
    stations: list[latency.Station]
    starts: int
    checks: list[Check]
    film: Path | None = None
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The figures, as plain data for JSON."""
        return {
            "data": self.data.source.model_dump(),
            "model_reused": self.reused,
            "files": {name: str(path) for name, path in self.exported.files.items()},
            "parity": [row.as_dict() for row in self.exported.table],
            "run": self.run.as_dict(),
            "latency": [station.as_dict() for station in self.stations],
            "latency_starts": self.starts,
            "checks": [asdict(check) for check in self.checks],
            "film": None if self.film is None else str(self.film),
        }


def tell(
    folder: Path, data_folder: Path | None, seed: int, engine: EngineName, films: bool
) -> Story:
    """Do it all; write model files, film and results to `folder`.

    Raises:
        ReflexarcError: a step could not be done at all.
    """
    err.rule("1  data and training", align="left")
    data = FAMILY.load(data_folder)
    err.print(f"{data.source.name}: {data.source.train_size} + {data.source.test_size} digits")
    source, reused = training.train_once(FAMILY, data, Options(seed, console=err), folder)
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    if reused:
        err.print(f"reusing {source} (delete it to train again)", highlight=False)

    err.rule("2  export and parity", align="left")
    with err.status("export") as status:
        exported = package.export(source, data, ("float32", "int8"), folder, tell=status.update)

    title = "as a ROS 2 graph" if engine == "ros" else "without ROS"
    err.rule(f"3  the whole robot in a box, {title}", align="left")
    judge = Judge()
    done = _play(_scenario(exported.files["int8"], folder), engine, folder, judge, films)
    taken = latency.samples(done)
    stations = latency.table(taken) if taken else []
    checks = [*_model_checks(exported), *judge.checks(done), *_time_checks(stations)]

    path: Path | None = folder / "box.mp4"
    notes: list[str] = []
    if films:
        err.rule("4  the film", align="left")
        try:
            notes = _film(done, path) if path is not None else []
        except ReflexarcError as error:  # no renderer here: everything else is worth having
            path, notes = None, [str(error)]
    else:
        path = None
    told = Story(
        data, history, reused, exported, done, stations, len(taken), checks, path,
        [note for note in notes if note],
    )  # fmt: skip
    with atomic_write(folder / "results.json") as temporary:
        temporary.write_text(json.dumps(told.as_dict(), indent=1), encoding="utf-8")
    return told


def _scenario(model: Path, folder: Path) -> Path:
    """The demo's scenario, with the digits read by the model of just now."""
    values = load_scenario(SCENARIO).model_dump(mode="json", exclude_unset=True)
    values["robot"]["perception"]["tasks"]["digits"]["model"] = str(model.resolve())
    path = folder / f"{SCENARIO}.yaml"
    with atomic_write(path) as temporary:
        temporary.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def _play(scenario: Path, engine: EngineName, folder: Path, judge: Judge, films: bool) -> Run:
    place = folder / "run"
    shutil.rmtree(place, ignore_errors=True)
    with _progress() as progress:
        bar = progress.add_task("start the box", total=None, last="")

        def step(live: Live) -> bool:
            newest = live.events[-1][1] if live.events else None
            progress.update(
                bar,
                description="play",
                completed=round(live.now),
                total=round(live.scenario.seconds),
                last=f"{newest['event']} {newest['text']}"[:60] if newest else "",
            )
            return judge.is_over(live)

        done = run(scenario, engine, place, films=films, step=step)
        progress.update(bar, completed=round(done.end_s), total=round(done.end_s), last=done.why)
    return done


def _film(done: Run, path: Path) -> list[str]:
    with _progress() as progress:
        bar = progress.add_task("render", total=None, last="")
        note = film.make(
            done, path, lambda number, total: progress.update(bar, completed=number, total=total)
        )
    return [note]


def _model_checks(exported: package.Exported) -> list[Check]:
    keras, int8 = exported.table[0], exported.table[-1]
    loss = keras.accuracy - int8.accuracy
    return [
        Check(
            f"Keras accuracy at least {100 * MIN_ACCURACY} %",
            f"{100 * keras.accuracy:.2f} %",
            keras.accuracy >= MIN_ACCURACY,
        ),
        Check(
            f"INT8 loses at most {100 * MAX_INT8_LOSS:.1f} points",
            f"{100 * loss:+.2f} points",
            # Both are whole numbers of digits; the margin is for their division.
            loss <= MAX_INT8_LOSS + 1e-9,
        ),
        Check(
            f"INT8 file at most {MAX_INT8_BYTES // 1000} kB",
            f"{int8.size_bytes / 1e3:.0f} kB",
            int8.size_bytes <= MAX_INT8_BYTES,
        ),
    ]


def _time_checks(stations: list[latency.Station]) -> list[Check]:
    total = stations[-1] if stations else None
    firmware = stations[-2] if stations else None
    return [
        Check(
            "command in the chip -> PWM pin within one control period, simulated",
            f"worst {firmware.worst_ms:.2f} ms" if firmware else "nothing moved",
            # and one PWM period, which starts with the value
            firmware is not None and firmware.worst_ms <= CONTROL_PERIOD_MS + PWM_PERIOD_MS,
        ),
        Check(
            f"frame -> PWM pin at most {MAX_LATENCY_MS:.0f} ms (depends on this machine)",
            f"p50 {total.p50_ms:.1f}, worst {total.worst_ms:.1f} ms" if total else "nothing moved",
            total is not None and total.worst_ms <= MAX_LATENCY_MS,
            binding=False,
        ),
    ]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[last]}"),
        console=err,
    )
