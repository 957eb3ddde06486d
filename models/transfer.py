"""Your own photos on a net that already knows ImageNet: one folder a class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from reflexarc.models import augment, folders
from reflexarc.models.emoji import emoji_folder
from reflexarc.models.family import Dataset, Family, Images, Options, Trained
from reflexarc.perception.card import InputSpec


def vary(images: Images, rng: np.random.Generator) -> Images:
    """Another view, lamp and camera."""
    images = augment.flip(images, rng)
    images = augment.affine(
        images, rng, rotate_deg=12, scale=0.1, shear=0.1, shift_px=12, border=cv2.BORDER_REPLICATE
    )
    images = augment.crop(images, rng, smallest_area=0.6, aspect=4 / 3)
    images = augment.colour(images, rng, brightness=0.12, contrast=0.25, saturation=0.3, cast=0.06)
    return augment.degrade(images, rng, share=0.15, smallest_px=96, blur_px=1.5, quality=50)


def load(folder: Path | None) -> Dataset:
    """Read the user's photos (`reflexarc.models.folders`); without any, packaged emoji.

    Raises:
        FolderError: the folder holds no data set.
        AssetError: the emoji cannot be fetched.
    """
    return folders.load(folder or emoji_folder(), SPEC)


def train(data: Dataset, options: Options) -> Trained:
    """Fit a head and the top blocks; shows what the net looked at on validation photos."""
    from reflexarc.models import backbone, photo_report
    from reflexarc.models.finetune import Plan, two_phase

    plan = Plan(name="transfer", augment=vary)
    trained = two_phase(plan, backbone.imagenet(options.console), SPEC, data, options)
    return replace(trained, pictures=photo_report.pictures(trained.model, SPEC, data))


# "pad" was worse on validation (data/clothing10, frozen head: 86.8 % against 88.9 %).
SPEC = InputSpec(width=224, height=224, color="rgb", mean=127.5, std=127.5, fit="stretch")

FAMILY = Family(
    name="transfer",
    description="Photos of the user's own classes, MobileNetV2",
    task="classify",
    input=SPEC,
    thresholds={"score": 0.5},
    licence="Apache-2.0",
    load=load,
    train=train,
)
