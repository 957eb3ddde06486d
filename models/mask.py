"""Does a face wear a mask? Trained on a folder of face crops, or imported ready-made.

Photos of the two classes often differ in more than the mask: where they come
from, their size and how they are cropped. A net takes such a shortcut where it
can. So training levels these out (`vary`), and its report shows accuracy by the
photos' resolution, and at equal low resolutions for both classes: with all photos
of the held-back tenth of data/mask at 32 x 32 px, 98.9 % (mask) and 95.6 % (no mask)
are right; the packaged weights, trained without that guard, reach 61.8 % and 94.4 %.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reflexarc.models import augment, folders
from reflexarc.models.family import Dataset, Family, Images, Options, Split, Trained
from reflexarc.models.portraits import portraits
from reflexarc.perception.card import InputSpec

if TYPE_CHECKING:
    import keras

LABELS = ("mask", "no_mask")
ALIASES = {
    "with_mask": "mask",
    "masked": "mask",
    "without_mask": "no_mask",
    "no_mask": "no_mask",
    "nomask": "no_mask",
    "unmasked": "no_mask",
}
SPEC = InputSpec(width=224, height=224, color="rgb", mean=127.5, std=127.5, fit="stretch")
# Longest side of a photo in pixels, for accuracy by resolution.
_BINS = (0, 96, 128, 160, 224)
# Sides to which the photos of both classes are brought alike.
_LEVELS = (32, 48, 64, 96, 128)


def vary(images: Images, rng: np.random.Generator) -> Images:
    """Another camera, distance, crop and lamp: whatever must not tell the classes apart."""
    images = augment.flip(images, rng)
    images = augment.affine(
        images, rng, rotate_deg=20, scale=0.25, shear=0.1, shift_px=20, border=cv2.BORDER_REPLICATE
    )
    images = augment.crop(images, rng, smallest_area=0.5, aspect=2)
    images = augment.colour(images, rng, brightness=0.15, contrast=0.3, saturation=0.5, cast=0.1)
    return augment.degrade(images, rng, share=0.5, smallest_px=32, blur_px=3, quality=25)


def load(folder: Path | None) -> Dataset:
    """Read face crops; without a folder, portraits that a package carries, none masked.

    Raises:
        FolderError: the folder holds no such data set.
        AssetError: the portraits cannot be fetched.
    """
    if folder is None:
        return portraits(SPEC, LABELS, "no_mask", vary)
    return folders.load(folder, SPEC, labels=LABELS, aliases=ALIASES)


def train(data: Dataset, options: Options) -> Trained:
    """Fit to face crops; shows what the net looked at, and accuracy by resolution."""
    from reflexarc.models import backbone, photo_report
    from reflexarc.models.finetune import Plan, two_phase

    plan = Plan(name="mask", augment=vary, copies=2)
    trained = two_phase(plan, backbone.imagenet(options.console), SPEC, data, options)
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

    net = keras.applications.MobileNetV2(input_shape=(224, 224, 3), include_top=False, weights=None)
    x = layers.GlobalAveragePooling2D(name="pool")(net.output)
    x = layers.Dense(128, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(len(LABELS), activation="softmax", name="dense_1")(x)
    model = keras.Model(net.input, x, name="mask")
    backbone.copy_weights(model, backbone.weights_file())
    return model


def by_resolution(model: keras.Model, split: Split) -> tuple[dict[str, bytes], dict[str, float]]:
    """Accuracy by the photos' own resolution, and with all photos brought to equal ones.

    Returns:
        ``resolution.png``, and the figures by name.
    """
    from reflexarc.models import plots
    from reflexarc.models.features import answers

    right = answers(model, SPEC, split.inputs).argmax(axis=1) == split.labels
    own: dict[str, tuple[float, int]] = {}
    if isinstance(split, folders.Photos):
        longest = split.sizes.max(axis=1)
        for low, high in zip(_BINS, (*_BINS[1:], 1 << 30), strict=True):
            inside = (longest >= low) & (longest < high)
            for index, label in enumerate(LABELS):
                chosen = right[inside & (split.labels == index)]
                if len(chosen):
                    limits = f"{low}-{high - 1}" if high < 1 << 30 else f"{low} or more"
                    own[f"{label}, {limits} px"] = (float(chosen.mean()), len(chosen))
    equal: dict[str, tuple[float, int]] = {}
    for side in _LEVELS:
        found = answers(model, SPEC, at_resolution(split.inputs, side)).argmax(axis=1)
        for index, label in enumerate(LABELS):
            chosen = found[split.labels == index] == index
            equal[f"{label}, all at {side} px"] = (float(chosen.mean()), len(chosen))
    bars = plots.accuracy_bars(
        {"by the photo's own longest side": own, "all photos scaled down to": equal}
    )
    return {"resolution.png": bars}, {n: accuracy for n, (accuracy, _) in (own | equal).items()}


def at_resolution(images: Images, side: int) -> Images:
    """The same pictures (n, h, w, 3) with no more detail than `side` x `side` pixels hold."""
    out = np.empty(images.shape, np.uint8)
    for i, image in enumerate(images):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        out[i] = cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return out


FAMILY = Family(
    name="mask",
    description="Whether a face (a crop) wears a mask, MobileNetV2",
    task="mask",
    input=SPEC,
    thresholds={"score": 0.7},
    licence="Apache-2.0",
    load=load,
    train=train,
    ready=imported,
    ready_asset="mask-detector",
)
