"""Runs `edgetpu_compiler` where there is one, and holds its output against the prediction."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reflexarc.core import atomic_write
from reflexarc.export.edgetpu.check import Report, check
from reflexarc.export.edgetpu.compiled import mapped_ops
from reflexarc.export.edgetpu.graph import EdgeTpuError
from reflexarc.export.edgetpu.words import MAPPED

COMPILER = "edgetpu_compiler"
TIMEOUT_S = 600  # the compiler gives up by itself after 180 s

_ROW = re.compile(r"^([A-Z][A-Z0-9_]*)\s+(\d+)\s+(\S.*?)\s*$")
_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")
_MEMORY = re.compile(
    r"^(On-chip|Off-chip) memory (used|remaining) for .*?: ([\d.]+)([KMG]?i?B)", re.M
)
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True)
class Log:
    """What the compiler printed with -s.

    `counts` has the number of operations for (operation, status); bytes are None when
    the log does not say them.
    """

    version: str | None
    counts: Counter[tuple[str, str]]
    cached_bytes: int | None
    remaining_bytes: int | None
    streamed_bytes: int | None

    @property
    def mapped(self) -> int:
        """Operations on the Edge TPU."""
        return sum(count for (_, status), count in self.counts.items() if status == MAPPED)


@dataclass(frozen=True)
class Disagreement:
    """An operation that the prediction put elsewhere than the compiler."""

    index: int
    op: str
    predicted: str
    compiled: str


@dataclass(frozen=True)
class Compilation:
    """The compiled file, the compiler's log, the prediction, and where they differ."""

    output: Path
    log: Log
    report: Report
    disagreements: tuple[Disagreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """The comparison for machines."""
        return {
            "output": str(self.output),
            "compiler": self.log.version,
            "log": [
                {"op": op, "count": count, "reason": status}
                for (op, status), count in sorted(self.log.counts.items())
            ],
            "cached_bytes": self.log.cached_bytes,
            "streamed_bytes": self.log.streamed_bytes,
            "disagreements": [asdict(one) for one in self.disagreements],
            "predicted": self.report.as_dict(),
        }


def parse_log(text: str) -> Log:
    """Parse the compiler's output, or its .log file, which has the table only."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        if row := _ROW.match(line):
            counts[row[1], row[3]] += int(row[2])
    memory = {
        (place, what): round(float(number) * _UNITS[unit])
        for place, what, number, unit in _MEMORY.findall(text)
    }
    version = _VERSION.search(text)
    return Log(
        version[1] if version else None,
        counts,
        memory.get(("On-chip", "used")),
        memory.get(("On-chip", "remaining")),
        memory.get(("Off-chip", "used")),
    )


def compile_model(model: Path, folder: Path) -> Compilation:
    """Compile a model into `folder` as `<name>_edgetpu.tflite`, and compare op for op.

    Raises:
        EdgeTpuError: no compiler, a file that `check` refuses to read, or a failed compilation.
    """
    report = check(model)
    program = shutil.which(COMPILER)
    if program is None:
        raise EdgeTpuError(
            expected=f"`{COMPILER}` on the PATH",
            found="none",
            remedy="install Coral's package edgetpu-compiler (x86-64 Debian or Ubuntu) or use its "
            "Colab notebook; `reflexarc edgetpu check` predicts the result without it",
        )
    with tempfile.TemporaryDirectory() as scratch:
        text = _run([program, "-s", "-o", scratch, str(model)])
        made = Path(scratch) / f"{model.stem}_edgetpu.tflite"
        if not made.is_file():
            raise _failed(text)
        log = parse_log(text)
        mapped = mapped_ops(model, made)
        output = folder / made.name
        with atomic_write(output) as temporary:
            shutil.copyfile(made, temporary)
    return Compilation(output, log, report, _compare(report, mapped))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise EdgeTpuError(
            expected=f"an end of {COMPILER} within {TIMEOUT_S} s",
            found="none",
            remedy="make the model smaller, or run the compiler by hand with its options -d and -t",
        ) from None
    except OSError as error:
        raise EdgeTpuError(
            expected=f"a {COMPILER} that runs here",
            found=f"{command[0]}: {error.strerror}",
            remedy="it needs x86-64 Linux: use another computer or Coral's Colab notebook",
        ) from error
    text = done.stdout + done.stderr
    if done.returncode:
        raise _failed(text)
    return text


def _failed(text: str) -> EdgeTpuError:
    said = [line.strip() for line in text.splitlines() if line.strip()]
    blame = [line for line in said if line.startswith(("ERROR", "Compilation failed:", "Invalid"))]
    return EdgeTpuError(
        expected="a compiled model",
        found=f"{COMPILER} that says: {'; '.join(blame or said[-3:]) or 'nothing'}",
        remedy="see `reflexarc edgetpu check`",
    )


def _compare(report: Report, mapped: set[int]) -> tuple[Disagreement, ...]:
    return tuple(
        Disagreement(op.index, op.op, op.target, "edgetpu" if op.index in mapped else "cpu")
        for op in report.ops
        if (op.target == "edgetpu") != (op.index in mapped)
    )
