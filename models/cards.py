"""The card of a freshly trained model; export copies it and adds what it measured."""

from __future__ import annotations

import datetime
import os
from importlib.metadata import version

import tensorflow as tf

from reflexarc.models import assets
from reflexarc.models.family import Dataset, Family
from reflexarc.perception.card import Card


def card_of(family: Family, data: Dataset, *, ready: bool = False) -> Card:
    """Say what a model of `family` trained on `data`, or imported `ready`, is."""
    imported_from = ""
    if ready:
        row = assets.table()[family.ready_asset]
        imported_from = f"{row.registry} {row.package} {row.version} ({row.licence})"
    return Card(
        name=family.name,
        description=family.description,
        task=family.task,
        input=family.input,
        outputs=family.outputs,
        labels=data.labels,
        thresholds=family.thresholds,
        quantization="float32",
        metrics={},
        data=data.source,
        imported_from=imported_from,
        # TensorFlow's distribution is tensorflow or tensorflow-cpu: ask the module.
        tools={
            "tensorflow": tf.__version__,
            **{name: version(name) for name in ("reflexarc", "keras", "numpy")},
        },
        source_sha256="",
        created=today(),
        licence=family.licence,
    )


def today() -> str:
    """The date, or that of SOURCE_DATE_EPOCH for builds that must repeat."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.timezone.utc)
    if epoch:
        now = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    return now.date().isoformat()
