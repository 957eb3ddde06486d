"""The same frames through MediaPipe Tasks or supervision, and through ours, in turns."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import numpy.typing as npt

from benchmarks.peers import Peers
from benchmarks.row import Row
from benchmarks.scenes import HEIGHT, WIDTH, going_on, scene
from benchmarks.timing import milliseconds
from reflexarc.export.metadata import pack
from reflexarc.models import assets
from reflexarc.perception import Box, Detection, Frame, Observation
from reflexarc.perception.card import Card, DataSource, InputSpec
from reflexarc.perception.overlay import draw
from reflexarc.perception.tasks import default_model_path, open_task
from reflexarc.perception.tasks.people.counting import LineCounter, Step, ZoneTimer
from reflexarc.perception.tasks.people.geometry import parse_line, parse_zone

_ROUNDS, _CALLS = 15, 20
_WALKERS = 20


def compare() -> list[Row]:
    with Peers() as peers, tempfile.TemporaryDirectory() as folder:
        return [*_tasks(peers, Path(folder)), *_parts(peers, Path(folder))]


def _tasks(peers: Peers, folder: Path) -> list[Row]:
    """MediaPipe Tasks in video mode on one thread of calls, with the same model files."""
    blazepose = assets.fetch("blazepose")
    blazeface = assets.fetch("blazeface")
    short = with_metadata(blazeface / "face_detection_short_range.tflite", folder, 128, 127.5)
    pose = folder / "pose.task"
    with ZipFile(pose, "w", ZIP_STORED) as bundle:
        for file, name, size, mean in (
            ("pose_detection.tflite", "pose_detector.tflite", 224, 127.5),
            ("pose_landmark_full.tflite", "pose_landmarks_detector.tflite", 256, 0.0),
        ):
            bundle.write(with_metadata(blazepose / file, folder, size, mean), name)
    rows = []
    for name, kind, model, what, ours in (
        ("faces", "FaceDetector", short, "one face", {}),
        ("classify", "ImageClassifier", default_model_path("classify"), "one body", {}),
        ("people", "ObjectDetector", default_model_path("people"), "three people", {}),
        ("pose", "PoseLandmarker", pose, "one body", {"model": blazepose}),
    ):
        frames = scene(what)
        peers.ask(
            "open_mediapipe", name=name, kind=kind, model=str(model), frames=saved(frames, folder)
        )
        task = open_task(name, device="cpu", **ours)
        turns = itertools.count()

        def look() -> None:
            task.process(going_on(frames, next(turns)))  # noqa: B023 - called here only

        rows += in_turns(peers, name, f"{name} ({what})", f"MediaPipe {kind}", look)
    return rows


def _parts(peers: Peers, folder: Path) -> list[Row]:
    """supervision's line and zone counting and its annotators, over the boxes of walkers."""
    boxes = walkers()
    frames = scene("three people")
    files = {"frames": saved(frames, folder), "boxes": str(folder / "boxes.npy")}
    np.save(files["boxes"], boxes)
    rows = []
    line = LineCounter(parse_line("middle", [[320, 0], [320, 480]]))
    zone = ZoneTimer(parse_zone("yard", [[100, 100], [500, 100], [500, 400], [100, 400]]))
    turns = itertools.count()

    def count() -> None:
        turn = next(turns)
        steps = [
            Step(track, (float(x + r) / 2, float(b)), float(b - y))
            for track, (x, y, r, b) in enumerate(boxes[turn % len(boxes)])
        ]
        line.update(steps, turn * 33_333_333)
        zone.update(steps, turn * 33_333_333)

    peers.ask("open_supervision", name="counting", kind="counting", **files)
    what = f"a line and a zone, {_WALKERS} people"
    rows += in_turns(peers, "counting", what, "supervision LineZone, PolygonZone", count)

    looked = [observation_of(each) for each in boxes]
    drawn = itertools.count()

    def draw_one() -> None:
        turn = next(drawn)
        draw(frames[turn % len(frames)].image, [looked[turn % len(looked)]])

    peers.ask("open_supervision", name="drawing", kind="drawing", **files)
    rows += in_turns(
        peers, "drawing", f"drawing {_WALKERS} boxes and tags", "supervision annotators", draw_one
    )
    return rows


def in_turns(
    peers: Peers, name: str, what: str, theirs: str, call: Callable[[], object]
) -> list[Row]:
    """Medians of calls in turns, and the ratio."""
    mine_ms: list[float] = []
    theirs_ms: list[float] = []
    for turn in range(_ROUNDS):
        other = peers.ask("times", name=name, calls=_CALLS)
        own = [milliseconds(call) for _ in range(_CALLS)]
        if turn:  # the first round warms up
            mine_ms += own
            theirs_ms += other
    mine, other_ms = float(np.median(mine_ms)), float(np.median(theirs_ms))
    return [
        Row(f"{what}, ours", mine, "ms"),
        Row(f"{what}, {theirs}", other_ms, "ms"),
        Row(f"{what}, ours / theirs", mine / other_ms, "x", "1"),
    ]


def walkers() -> npt.NDArray[np.float32]:
    """Boxes (turns, walkers, 4) that cross the picture."""
    rng = np.random.default_rng(0)
    start = rng.uniform((0, 0), (WIDTH - 60, HEIGHT - 120), (_WALKERS, 2))
    speed = rng.uniform(-3, 3, (_WALKERS, 2))
    steps = np.arange(120)[:, None, None]
    corner = (start + steps * speed) % (WIDTH - 60, HEIGHT - 120)
    return np.concatenate([corner, corner + np.array([40, 100])], axis=-1).astype(np.float32)


def observation_of(boxes: npt.NDArray[np.float32]) -> Observation:
    found = tuple(
        Detection("person", 0.9, Box(float(x), float(y), float(r - x), float(b - y)), track)
        for track, (x, y, r, b) in enumerate(boxes)
    )
    return Observation(0, 0, "benchmark", "people", found)


def saved(frames: list[Frame], folder: Path) -> str:
    path = folder / f"{id(frames)}.npy"
    np.save(path, np.stack([frame.image for frame in frames]))
    return str(path)


def with_metadata(path: Path, folder: Path, size: int, mean: float) -> Path:
    """A Blaze file as MediaPipe Tasks wants it: it says how its input is normalised."""
    outputs = 5 if "landmark" in path.name else 2
    card = Card(
        name=path.stem,
        description=path.stem,
        task="benchmark",
        input=InputSpec(width=size, height=size, color="rgb", mean=mean, std=mean or 255.0),
        outputs=tuple(f"output_{i}" for i in range(outputs)),
        labels=("thing",),
        thresholds={},
        quantization="float32",
        metrics={},
        data=DataSource(name="", version="", licence="", train_size=0, test_size=0),
        tools={},
        created=date.today().isoformat(),
        licence="Apache-2.0",
    )
    packed = folder / f"{path.stem}-with-metadata.tflite"
    packed.write_bytes(pack(path.read_bytes(), card))
    return packed
