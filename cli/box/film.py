"""The film of a run: from above, behind the robot, what it sees, what it hears and does.

Made afterwards, from the run's files, in a process of its own (`python -m
reflexarc.cli.box.film FOLDER`): the renderer and TensorFlow cannot share one.
"""

from __future__ import annotations

import argparse
import bisect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.cli.box.record import Run
from reflexarc.core import ReflexarcError, atomic_write, quiet
from reflexarc.perception.overlay.text import measure, put
from reflexarc.perception.recording.video import VideoFileWriter
from reflexarc.sim.film import Film
from reflexarc.sim.flight_reader import Flight

Image = npt.NDArray[np.uint8]

FPS = 10.0
TOP, EYE, CHASE = (720, 720), (560, 420), (560, 300)
SIZE = (TOP[0] + EYE[0], TOP[1])
_SHOWN_S = 3.0
_BAR = (16, 22, 30)
_INK = (235, 240, 245)
_COLOURS = {
    "order": (250, 200, 80),
    "reply": (190, 205, 220),
    "fired": (120, 210, 255),
    "started": (150, 230, 150),
    "failed": (255, 140, 120),
    "stopped": (255, 140, 120),
}
_NOTES = "film.json"


def make(
    run: Run, path: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> str:
    """Film a run into an .mp4; give what the user should know of it, empty if nothing.

    Raises:
        ReflexarcError: it cannot be rendered or written; nothing is left then.
    """
    notes = {
        "flight": str(run.folder / "box" / "flight.jsonl"),
        "fps": FPS,
        "begin_s": run.begin_s,
        "end_s": run.end_s,
        "pictures": [(run.flight.t_at(mono_ns), str(file)) for mono_ns, file in run.pictures],
        "captions": _captions(run),
    }
    with atomic_write(run.folder / _NOTES) as temporary:
        temporary.write_text(json.dumps(notes), encoding="utf-8")
    command = [sys.executable, "-m", "reflexarc.cli.box.film", str(run.folder), str(path)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    said: dict[str, Any] = {}
    try:
        assert child.stdout is not None
        for line in child.stdout:
            said = json.loads(line)
            if "done" in said:
                progress(said["done"], said["total"])
        _, errors = child.communicate()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    if child.returncode != 0:
        raise ReflexarcError(
            expected=f"a film of the run in {path}",
            found=(errors.strip().splitlines() or [f"exit code {child.returncode}"])[-1],
            remedy="`reflexarc doctor` shows whether there is something to render with",
        )
    return str(said.get("note", ""))


def _captions(run: Run) -> list[tuple[float, str, str]]:
    lines = [(order.t, "order", f"“{order.value}”") for order in run.orders]
    lines += [(reply.t, "reply", str(reply.value.get("text", ""))) for reply in run.replies]
    for event in run.events:
        if event.value["event"] in ("fired", "started", "failed", "stopped"):
            lines.append((event.t, event.value["event"], str(event.value["text"])))
    return sorted(lines)


class Cutter:
    """Puts one moment's pictures side by side."""

    def __init__(self, notes: dict[str, Any]) -> None:
        self._flight = Flight.read(notes["flight"])
        self._begin_s = float(notes["begin_s"])
        self._eyes = [(float(t), Path(file)) for t, file in notes["pictures"]]
        self._eye_times = [t for t, _ in self._eyes]
        self._captions = [(float(t), kind, text) for t, kind, text in notes["captions"]]
        self._seen: tuple[int, Image] | None = None
        self._top = Film(self._flight, TOP)
        self._chase = Film(self._flight, CHASE)

    def at(self, t: float) -> Image:
        """The whole picture, uint8 RGB of SIZE (width, height)."""
        image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        image[:, : TOP[0]] = self._top.at(t, "top")
        image[: EYE[1], TOP[0] :] = self._eye(t)
        image[EYE[1] :, TOP[0] :] = self._chase.at(t, "chase")
        self._write(image, t)
        return image

    def _eye(self, t: float) -> Image:
        number = max(0, bisect.bisect_right(self._eye_times, t) - 1)
        if not self._eyes:
            return np.full((EYE[1], EYE[0], 3), 24, np.uint8)
        if self._seen is None or self._seen[0] != number:
            read = cv2.imread(str(self._eyes[number][1]))
            if read is None:
                return np.full((EYE[1], EYE[0], 3), 24, np.uint8)
            seen = cv2.resize(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), EYE)
            self._seen = (number, np.asarray(seen, np.uint8))
        return self._seen[1]

    def _write(self, image: Image, t: float) -> None:
        left, right = self._flight.duty_at(t)
        clock = f"{t - self._begin_s:5.1f} s   motors {left / 2.55:+4.0f} % {right / 2.55:+4.0f} %"
        _label(image, clock, 10, 10, 16, _INK)
        _label(image, "what the robot sees", TOP[0] + 10, 10, 14, _INK)
        new = [line for line in self._captions if t - _SHOWN_S < line[0] <= t][-4:]
        for row, (_, kind, text) in enumerate(reversed(new)):
            _label(image, text[:70], 10, TOP[1] - 34 - 30 * row, 18, _COLOURS.get(kind, _INK))

    def close(self) -> None:
        """Let go of the renderers."""
        self._top.close()
        self._chase.close()


def _label(image: Image, text: str, x: int, y: int, size: int, color: tuple[int, int, int]) -> None:
    width, height = measure(text, size)
    part = image[y - 4 : y + height + 4, x - 6 : x + width + 8]
    part[:] = (part * 0.3 + np.array(_BAR) * 0.7).astype(np.uint8)
    put(image, text, x, y, size, color)


def main() -> int:
    """Film the run of a folder; lines of JSON tell how far it is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    notes = json.loads((options.folder / _NOTES).read_text(encoding="utf-8"))
    fps = float(notes["fps"])
    total = max(1, int((notes["end_s"] - notes["begin_s"]) * fps))
    try:
        with quiet():
            cutter = Cutter(notes)
        with VideoFileWriter(options.path, fps=fps) as writer:
            for number in range(total):
                t = notes["begin_s"] + number / fps
                writer.put(cutter.at(t), round(t * 1e9))
                if number % 10 == 9 or number == total - 1:
                    print(json.dumps({"done": number + 1, "total": total}), flush=True)
        cutter.close()
    except ReflexarcError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"note": writer.note}), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
