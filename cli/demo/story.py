"""What the demo does, in order, and what must hold at the end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from reflexarc.cli.box.record import Check
from reflexarc.cli.demo import latency
from reflexarc.cli.demo.courier import METRES_PER_DIGIT, Drive, courier, rules
from reflexarc.cli.output import err
from reflexarc.core import atomic_write
from reflexarc.export import package
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.models import training
from reflexarc.models.family import Dataset, History, Options, Split
from reflexarc.models.mnist_cnn import FAMILY
from reflexarc.perception.tasks import open_task
from reflexarc.robot.config import Limits, RobotConfig

# The promises.
SMALLEST_PX = 24
MIN_ACCURACY = 0.992
MAX_INT8_LOSS = 0.001
MAX_INT8_BYTES = 300_000
MAX_DISTANCE_ERROR = 0.05
CONTROL_PERIOD_S = 0.010
MAX_LATENCY_S = CONTROL_PERIOD_S + 0.010

# Short drives only to measure latency: this many cards, a centimetre a digit.
_SPRINTS = 60
_SPRINT_METRES_PER_DIGIT = 0.003


@dataclass(frozen=True)
class Story:
    """Everything the report shows."""

    data: Dataset
    history: History
    reused: bool
    exported: package.Exported
    drives: list[Drive]
    samples: list[latency.Sample]
    stations: list[latency.Station]
    checks: list[Check]

    def as_dict(self) -> dict[str, Any]:
        """The figures, as plain data for JSON."""
        return {
            "data": self.data.source.model_dump(),
            "model_reused": self.reused,
            "files": {name: str(path) for name, path in self.exported.files.items()},
            "parity": [row.as_dict() for row in self.exported.table],
            "drives": [
                {
                    "digit": drive.digit,
                    "seen": drive.seen,
                    "wanted_m": drive.wanted_m,
                    "measured_m": drive.measured_m,
                    "rolled_m": drive.rolled_m,
                }
                for drive in self.drives
            ],
            "latency": [station.as_dict() for station in self.stations],
            "latency_samples": len(self.samples),
            "checks": [asdict(check) for check in self.checks],
        }


def tell(folder: Path, data_folder: Path | None, seed: int) -> Story:
    """Do it all; write model files and results to `folder`.

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

    err.rule("3  an emulated robot reads cards and drives", align="left")
    limits = Limits(speed_mps=0.4, acceleration_mps2=1.0)
    robot = RobotConfig(name="demo", limits=limits, reflexes=rules(METRES_PER_DIGIT))
    sprinter = RobotConfig(
        name="sprint", limits=limits, reflexes=rules(_SPRINT_METRES_PER_DIGIT, hold_s=0.0)
    )
    task = open_task("digits", exported.files["int8"], smallest_px=SMALLEST_PX)
    with err.status("build firmware and emulator"):
        emulator = EmulatedBoard()
    with emulator, _progress() as progress:
        bar = progress.add_task("drive n x 0.1 m", total=10, last="")
        drives = courier(
            robot,
            task,
            emulator,
            _cards(data.test, range(10), nth=0),
            seed=seed,
            step=lambda d: progress.update(
                bar,
                advance=1,
                last=f"digit {d.digit}: read {d.seen}, "
                + (f"{d.measured_m:.3f} m" if d.measured_m is not None else "not finished"),
            ),
        )
        bar = progress.add_task("latency sprints", total=_SPRINTS, last="")
        sprints = courier(
            sprinter,
            task,
            emulator,
            [
                card
                for nth in range(_SPRINTS // 3)
                for card in _cards(data.test, (1 + nth % 9, 1 + (nth + 3) % 9, 7), nth=nth + 1)
            ],
            seed=seed + 1,
            step=lambda d: progress.advance(bar),
        )
    samples = [d.sample for d in (*drives, *sprints) if d.sample]
    stations = latency.table(samples) if samples else []
    told = Story(
        data,
        history,
        reused,
        exported,
        drives,
        samples,
        stations,
        _checks(exported, drives, stations),
    )
    with atomic_write(folder / "results.json") as temporary:
        temporary.write_text(json.dumps(told.as_dict(), indent=1), encoding="utf-8")
    return told


def _cards(
    test: Split, digits: range | tuple[int, ...], nth: int
) -> list[tuple[int, np.ndarray[Any, np.dtype[np.uint8]]]]:
    """The n-th test picture of each digit, in the order of the data set: not chosen."""
    return [
        (digit, test.inputs[np.flatnonzero(test.labels == digit)[nth], :, :, 0]) for digit in digits
    ]


def _checks(
    exported: package.Exported, drives: list[Drive], stations: list[latency.Station]
) -> list[Check]:
    keras, int8 = exported.table[0], exported.table[-1]
    loss = keras.accuracy - int8.accuracy
    read = sum(drive.seen == drive.digit for drive in drives)
    worst = max((drive.error for drive in drives), default=float("inf"))
    total = stations[-1] if stations else None
    firmware = stations[-2] if stations else None
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
        Check("every card read right", f"{read} of {len(drives)}", read == len(drives) == 10),
        Check(
            f"distances within {100 * MAX_DISTANCE_ERROR:.0f} % of n x {METRES_PER_DIGIT} m",
            f"worst {100 * worst:.1f} %",
            worst <= MAX_DISTANCE_ERROR,
        ),
        Check(
            "command in the chip -> PWM pin within one control period, emulated",
            f"p99 {firmware.p99_ms:.2f} ms" if firmware else "nothing moved",
            # and one PWM period, which starts with the value
            firmware is not None and firmware.p99_ms / 1e3 <= CONTROL_PERIOD_S + 0.0005,
        ),
        Check(
            f"frame -> PWM pin p99 at most {1e3 * MAX_LATENCY_S:.0f} ms (depends on this machine)",
            f"p99 {total.p99_ms:.1f} ms" if total else "nothing moved",
            total is not None and total.p99_ms / 1e3 <= MAX_LATENCY_S,
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
