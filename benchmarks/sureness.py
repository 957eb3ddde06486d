"""sit-ups at a film's cut: counts and phases by how sure a pose must be to be believed

The robot's camera looks at the trainer's board (rendered, no robot runs); frames are lost, moved
and noisy. Near its end the film jumps to another take: a pose net answers there for some frames
with points that lie anywhere.

python -m benchmarks.sureness --data ../shared/data [--plays 72] [--shares 0 0.7 0.75 0.8]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from benchmarks.row import Row, save, table
from reflexarc.cli.box.pictures import fill
from reflexarc.perception import Frame
from reflexarc.perception.tasks import open_task
from reflexarc.perception.tasks.situps import trust
from reflexarc.sim.description import rover
from reflexarc.sim.mjcf import CAMERA
from reflexarc.sim.pictures import PictureFolder, Reel, find_all
from reflexarc.sim.plant import scene
from reflexarc.sim.render import Eye, load_mujoco
from reflexarc.sim.scenario import load_scenario
from reflexarc.sim.world import World

Image = npt.NDArray[np.uint8]

SHARES = (0.0, 0.7, trust.SHARE, 0.8, 0.9)
PLAYS = 72
_BOARD = "athlete"
_RIGHT = ("down", "rising")
_SIT_UPS = 2
"""That end while it lasts."""
_LASTING_S, _PERIOD_S, _JITTER_S = 12.8, 0.1, 0.003
_LOST, _MOVED_PX, _NOISE = 0.15, 6, 2.0


class Play(NamedTuple):
    """What the task said of one play: sit-ups, and observations with another phase than "down"
    or "rising" between the cut and the film's end, where the body lies."""

    sit_ups: int
    wrong_phases: int


def stills(data: Path) -> tuple[Reel, list[Image]]:
    """The film, and what the robot's camera sees of each of its frames."""
    mujoco = load_mujoco()
    scenario = load_scenario("trainer")
    pictures = PictureFolder(fill(scenario, data))
    world = World(scenario, pictures)
    (reel,), _ = find_all(scenario.boards[_BOARD].pictures, pictures, _BOARD)
    assert reel is not None
    model = scene(rover(), world).compile()
    state = mujoco.MjData(model)
    world.enter(model, state)
    mujoco.mj_forward(model, state)
    seen = []
    with Eye(model, scenario.view.size) as eye:
        for number in range(len(reel.frames)):
            world.draw(_BOARD, 0, number)
            seen.append(eye.see(state, model.camera(CAMERA).id, world.versions))
    return reel, seen


def cut(reel: Reel) -> int:
    """The first frame after the hardest cut within the film."""
    frames = [frame.astype(np.int16) for frame in reel.frames]
    return 1 + int(np.argmax([np.abs(b - a).mean() for a, b in pairwise(frames)]))


def play(reel: Reel, seen: Sequence[Image], first: int, seed: int) -> Play:
    """One play with losses of its own; `first` is the first frame after the cut."""
    task = open_task("situps", device="cpu")
    sit_ups = wrong = 0
    for seq, (t, image, number) in enumerate(_frames(reel, seen, seed)):
        said = task.process(Frame(image, round((t + 1) * 1e9), seq, "benchmark"))
        sit_ups = said.counts["sit_ups"]
        if number >= first:
            wrong += any(found.label not in _RIGHT for found in said.detections)
    return Play(sit_ups, wrong)


def _frames(reel: Reel, seen: Sequence[Image], seed: int) -> Iterator[tuple[float, Image, int]]:
    """Time in seconds, picture, and which frame of the film is in it."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, _PERIOD_S)
    shift = rng.integers(-_MOVED_PX, _MOVED_PX + 1, 2)
    for step in range(round(_LASTING_S / _PERIOD_S)):
        lost, jitter = rng.random() < _LOST, rng.normal(0, _JITTER_S)
        t = phase + step * _PERIOD_S
        number = reel.number_at(t)
        if lost:
            continue
        moved = np.roll(seen[number], tuple(shift), (0, 1))
        noisy = (moved + rng.normal(0, _NOISE, moved.shape)).clip(0, 255).astype(np.uint8)
        yield max(0.0, t + jitter), noisy, number


def measure(data: Path, plays: int = PLAYS, shares: Sequence[float] = SHARES) -> list[Row]:
    reel, seen = stills(data)
    first = cut(reel)
    rows = [Row("the film's hardest cut, before frame", first, "")]
    for share in shares:
        name = f"share {share:g}"
        seeds = track(range(plays), name, transient=True)
        with patch.object(trust, "SHARE", share):
            all_plays = [play(reel, seen, first, seed) for seed in seeds]
        counts = [each.sit_ups for each in all_plays]
        rows += [
            Row(f"{name}: plays with a count too many", sum(n > _SIT_UPS for n in counts), ""),
            Row(f"{name}: plays with a count missing", sum(n < _SIT_UPS for n in counts), ""),
            Row(f"{name}: wrong phases", sum(each.wrong_phases for each in all_plays), ""),
        ]
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, help="a folder with situps/")
    options.add_argument("--plays", type=int, default=PLAYS)
    options.add_argument("--shares", type=float, nargs="+", default=SHARES)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    rows = measure(asked.data, asked.plays, asked.shares)
    Console().print(table("sureness", __doc__.splitlines()[0], rows))
    if asked.json:
        save(asked.json, rows)


if __name__ == "__main__":
    main()
