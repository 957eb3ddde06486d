"""Does a face wear a mask? Trained on photos of faces, or imported ready-made.

The faces are found and cut out by the code that does it on the device
(`reflexarc.perception.tasks.mask.crop`), so that the net sees in training what it will
see there. Photos of the two classes often differ in more than the mask: where they come
from, their size and how they are cropped. A net takes such a shortcut where it can. So
training levels these out (`vary`), and its report shows accuracy at equal resolutions.

Of a folder without parts of its own, 150 photos of each class are never trained or tuned
on, those whose names have the lowest sha256: anybody can name them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from reflexarc.core import cache_dir
from reflexarc.models import augment, folders
from reflexarc.models.family import Dataset, Family, Images, Options, Split, Trained
from reflexarc.models.pictures import Entry, PictureError, read
from reflexarc.models.portraits import portraits
from reflexarc.perception.card import InputSpec
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.faces.task import MIN_SCORE, follower
from reflexarc.perception.tasks.mask.crop import crop
from reflexarc.perception.tasks.mask.task import BARE_SCORE, TASK
from reflexarc.perception.tasks.mask.task import LABELS as LABELS

if TYPE_CHECKING:
    import keras

ALIASES = {
    "with_mask": "mask",
    "masked": "mask",
    "without_mask": "no_mask",
    "no_mask": "no_mask",
    "nomask": "no_mask",
    "unmasked": "no_mask",
}
SPEC = InputSpec(width=128, height=128, color="rgb", mean=127.5, std=127.5, fit="stretch")
LICENCE = "as given with the photos, of which none is in this file"
HELD_OUT = 150
"""Photos of each class that are only tested on; a fifth, where there are fewer than 750."""
_TOP = "block_12_add"
"""The net ends here: a mask is not as abstract as what ImageNet asks for."""
# Sides to which the crops of both classes are brought alike.
_LEVELS = (16, 24, 32, 48, 64, 96)


def vary(images: Images, rng: np.random.Generator) -> Images:
    """Another camera, distance, crop and lamp: whatever must not tell the classes apart."""
    images = augment.flip(images, rng)
    images = augment.affine(
        images, rng, rotate_deg=20, scale=0.2, shear=0.1, shift_px=10, border=cv2.BORDER_REPLICATE
    )
    images = augment.crop(images, rng, smallest_area=0.6, aspect=1.5)
    images = augment.colour(images, rng, brightness=0.15, contrast=0.3, saturation=0.5, cast=0.1)
    return augment.degrade(images, rng, share=0.5, smallest_px=20, blur_px=2, quality=25)


def load(folder: Path | None) -> Dataset:
    """Read photos and cut out their faces; without a folder, portraits, none masked.

    Photos in which no face is found are among the skipped.

    Raises:
        FolderError: the folder holds no such data set.
        AssetError: the portraits cannot be fetched.
    """
    if folder is None:
        return portraits(SPEC, LABELS, "no_mask", vary)
    crops, lost = cut_faces(folder)
    data = folders.load(crops, SPEC, labels=LABELS)
    about = {"name": f"faces in {folder.resolve().name}", "licence": LICENCE}
    source = data.source.model_copy(update=about)
    return replace(data, source=source, skipped={**data.skipped, **lost})


def cut_faces(
    folder: Path, console: Console | None = None, *, split: bool = True
) -> tuple[Path, dict[str, str]]:
    """A folder, in the cache, with the surest face of each photo by part and class.

    Args:
        folder: of photos.
        console: where progress is drawn; standard error by default.
        split: hold photos back for the test where the folder has no parts.

    Returns:
        The folder; and the files that gave no face, with the reason.

    Raises:
        FolderError: `folder` holds no such data set.
    """
    entries, _, refused = folders.scan(folder, LABELS, ALIASES, partial=not split)
    if split and not any(entry.part for entry in entries):
        entries = held_out(entries)
    target = cache_dir("mask-faces") / _digest(folder, entries)
    if not target.is_dir():
        with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as scratch:
            built = Path(scratch) / "built"
            told = console or Console(stderr=True)
            watched = track(entries, "find faces", console=told, transient=True)
            for entry, face in _faces(folder, watched):
                place = built / _place(entry)
                place.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(place), cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
            built.mkdir(exist_ok=True)
            built.rename(target)
    if not any(target.iterdir()):
        raise folders.FolderError(
            expected=f"photos with faces in {folder}",
            found=f"none in {len(entries)} photos",
            remedy="give photos in which a face is seen from the front",
        )
    lost = {e.path: "no face found" for e in entries if not (target / _place(e)).is_file()}
    return target, {**refused, **lost}


def held_out(entries: Sequence[Entry]) -> list[Entry]:
    """The same photos, those whose names have the lowest sha256 for the test."""
    order = sorted(entries, key=lambda e: hashlib.sha256(Path(e.path).name.encode()).hexdigest())
    test: set[str] = set()
    for label in range(len(LABELS)):
        mine = [entry.path for entry in order if entry.label == label]
        test.update(mine[: min(HELD_OUT, max(1, len(mine) // 5))])
    return [replace(entry, part="test" if entry.path in test else "train") for entry in entries]


def _faces(folder: Path, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Images]]:
    finder = follower(None, "cpu", "auto", 1, MIN_SCORE)
    for seq, entry in enumerate(entries):
        try:
            image = read(folder / entry.path)[0]
        except (PictureError, OSError):
            continue
        for found in finder.update(image, seq, entry.path):
            yield entry, crop(image, found.face, SPEC.width)


def _place(entry: Entry) -> Path:
    """Where a photo's face lies; photos of the same name in different folders stay apart."""
    name = entry.path.replace("/", "-")
    return Path(entry.part, LABELS[entry.label], f"{name}.png")


def _digest(folder: Path, entries: Sequence[Entry]) -> str:
    """The same for the same photos, and the same code and nets that find faces in them."""
    digest = hashlib.sha256(repr((SPEC, MIN_SCORE)).encode())
    for path in sorted(Path(str(files("reflexarc.perception.tasks"))).rglob("*.py")):
        digest.update(path.read_bytes())
    for name in ("faces_short", "faces_full"):
        digest.update(default_model_path(name).read_bytes())
    for entry in entries:
        facts = (folder / entry.path).stat()
        digest.update(repr((entry, facts.st_size, facts.st_mtime_ns)).encode())
    return digest.hexdigest()[:24]


def train(data: Dataset, options: Options) -> Trained:
    """Fit to faces; shows what the net looked at, and accuracy at equal resolutions."""
    from reflexarc.models import backbone, photo_report
    from reflexarc.models.finetune import Plan, two_phase

    plan = Plan(name="mask", augment=vary, copies=2, unfreeze="block_1_expand", epochs=20)
    net = backbone.part(backbone.imagenet(options.console), SPEC.width, _TOP)
    trained = two_phase(plan, net, SPEC, data, options)
    pictures, notes = by_resolution(trained.model, data.validation)
    return replace(
        trained,
        pictures={**photo_report.pictures(trained.model, SPEC, data), **pictures},
        notes={**trained.notes, **notes},
    )


def imported() -> keras.Model:
    """The packaged mask classifier: MobileNetV2 with a head of two dense layers.

    Raises:
        AssetError: the package is not in the cache and cannot be fetched.
    """
    import keras
    from keras import layers

    from reflexarc.models import backbone

    net = keras.applications.MobileNetV2(
        input_shape=(SPEC.height, SPEC.width, 3), include_top=False, weights=None
    )
    x = layers.GlobalAveragePooling2D(name="pool")(net.output)
    x = layers.Dense(128, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(len(LABELS), activation="softmax", name="dense_1")(x)
    model = keras.Model(net.input, x, name="mask")
    backbone.copy_weights(model, backbone.weights_file())
    return model


def by_resolution(model: keras.Model, split: Split) -> tuple[dict[str, bytes], dict[str, float]]:
    """Accuracy with the crops of both classes brought to equal resolutions.

    Returns:
        ``resolution.png``, and the figures by name.
    """
    from reflexarc.models import plots
    from reflexarc.models.features import answers

    equal: dict[str, tuple[float, int]] = {}
    for side in _LEVELS:
        found = answers(model, SPEC, at_resolution(split.inputs, side)).argmax(axis=1)
        for index, label in enumerate(LABELS):
            chosen = found[split.labels == index] == index
            equal[f"{label}, all at {side} px"] = (float(chosen.mean()), len(chosen))
    bars = plots.accuracy_bars({"all faces scaled down to": equal})
    return {"resolution.png": bars}, {name: accuracy for name, (accuracy, _) in equal.items()}


def at_resolution(images: Images, side: int) -> Images:
    """The same pictures (n, h, w, 3) with no more detail than `side` x `side` pixels hold."""
    out = np.empty(images.shape, np.uint8)
    for i, image in enumerate(images):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        out[i] = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return out


FAMILY = Family(
    name="mask",
    description="Whether a face (a crop) wears a mask, MobileNetV2 up to its block 12",
    task=TASK,
    input=SPEC,
    thresholds={"face": BARE_SCORE},
    licence="Apache-2.0",
    load=load,
    train=train,
    ready=imported,
    ready_asset="mask-detector",
)
