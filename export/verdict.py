"""Is a benchmark slower than its reference? Compared as ratios to the calibration loop."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.export.bench import Bench

# pycoral's latency gate fails at this too.
LIMIT = 1.3


class ReferenceFileError(ReflexarcError):
    """A reference file that cannot be compared with."""


class Reference(BaseModel):
    """A benchmark to compare later ones with.

    Attributes:
        machine: where it was measured (`machine_name`); ratios hold for one kind only.
        ratios: time over the calibration loop's, by `Row.key`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference_version: Literal[1] = 1
    machine: str
    ratios: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]


@dataclass(frozen=True)
class Line:
    """One row against the reference.

    Attributes:
        change: this ratio over the reference's; None where there is nothing to divide.
        status: "slower" and "failed" fail the verdict.
    """

    key: str
    change: float | None
    status: Literal["ok", "slower", "faster", "new", "failed"]


@dataclass(frozen=True)
class Verdict:
    """Whether a run holds against a reference.

    Attributes:
        not_run: rows of the reference that this run did not measure.
        other_machine: where the reference was measured, if elsewhere; else empty.
    """

    ok: bool
    limit: float
    lines: tuple[Line, ...]
    not_run: tuple[str, ...]
    other_machine: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def compare(
    ratios: Mapping[str, float],
    failed: Sequence[str],
    reference: Reference,
    *,
    machine: str,
    limit: float = LIMIT,
) -> Verdict:
    """Judge ratios to the calibration loop by those of a reference.

    Args:
        ratios: of this run, by row.
        failed: rows that did not run; those the reference has fail the verdict.
        reference: what they are compared with.
        machine: where this run was.
        limit: a row fails when its ratio is more than so many times the reference's.

    Raises:
        ReferenceFileError: no row in common.
    """
    lines: list[Line] = []
    for key, ratio in ratios.items():
        before = reference.ratios.get(key)
        if before is None:
            lines.append(Line(key, None, "new"))
            continue
        change = ratio / before
        slower, faster = change > limit, change < 1 / limit
        lines.append(Line(key, change, "slower" if slower else "faster" if faster else "ok"))
    lines += [Line(key, None, "failed") for key in failed if key in reference.ratios]
    if all(line.status == "new" for line in lines):
        raise ReferenceFileError(
            expected="a reference with at least one of these rows: " + ", ".join(ratios),
            found="only " + ", ".join(reference.ratios),
            remedy="save one from this command with --save-reference",
        )
    seen = {line.key for line in lines}
    return Verdict(
        ok=not any(line.status in ("slower", "failed") for line in lines),
        limit=limit,
        lines=tuple(lines),
        not_run=tuple(key for key in reference.ratios if key not in seen),
        other_machine="" if reference.machine == machine else reference.machine,
    )


def judge(done: Bench, reference: Reference, limit: float = LIMIT) -> Verdict:
    """`compare` for a whole run on this machine."""
    return compare(
        {row.key: row.ratio for row in done.rows},
        [failure.key for failure in done.failures],
        reference,
        machine=machine_name(),
        limit=limit,
    )


def save_reference(done: Bench, path: Path) -> None:
    """Write this run as a reference."""
    reference = Reference(machine=machine_name(), ratios={row.key: row.ratio for row in done.rows})
    with atomic_write(path) as temporary:
        temporary.write_text(reference.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_reference(path: Path) -> Reference:
    """Read a reference.

    Raises:
        ReferenceFileError: absent or not a reference.
    """
    remedy = "save one with `reflexarc bench --save-reference`"
    try:
        return Reference.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or "bytes that are no text"
        raise ReferenceFileError(
            expected="a reference file", found=f"{path}: {found}", remedy=remedy
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceFileError(
            expected="a reference file of version 1",
            found=f"{path}: {where}: {first['msg']}",
            remedy=remedy,
        ) from error


def machine_name() -> str:
    """What the loop's time depends on: the kind of CPU, the system, numpy."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    # numpy brings the BLAS that the loop runs in: 1.26 is four times slower at it than 2.4.
    cpu = names[0] if names else platform.machine()
    return f"{cpu}, {platform.system()}, numpy {np.__version__}"
