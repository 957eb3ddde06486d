"""Faces that a package carries, none with a mask: to calibrate on where nothing else is.

They tell whether an imported mask model says "no mask" of bare faces, before and
after INT8; what it says of masks needs a data set of masks.
"""

from __future__ import annotations

import numpy as np

from reflexarc.models import assets
from reflexarc.models.family import Augment, Dataset, Images, Split
from reflexarc.models.pictures import read
from reflexarc.perception.card import DataSource, InputSpec
from reflexarc.perception.fit import fit

_COPIES = 8  # varied copies of each portrait to calibrate on


def portraits(spec: InputSpec, labels: tuple[str, ...], label: str, vary: Augment) -> Dataset:
    """72 portraits, all of one class: half to calibrate on, half to test on.

    Args:
        spec: the input that they are fitted to.
        labels: the model's classes; `label` is the one that all portraits have.
        vary: makes the calibration half more various.

    Raises:
        AssetError: the package cannot be fetched.
    """
    row = assets.table()["portraits"]
    files = sorted(assets.fetch("portraits").iterdir())
    images = np.stack([fit(read(path, enough=spec.width)[0], spec) for path in files])
    rng = np.random.default_rng(0)
    train = np.concatenate([images[::2], *(vary(images[::2], rng) for _ in range(_COPIES))])

    def split(inputs: Images) -> Split:
        return Split(inputs, np.full(len(inputs), labels.index(label), np.int64))

    return Dataset(
        train=split(train),
        validation=split(images[::2]),
        test=split(images[1::2]),
        labels=labels,
        source=DataSource(
            name=f"portraits of {row.package}, all {label}",
            version=row.version,
            licence=row.licence,
            train_size=len(images[::2]),
            test_size=len(images[1::2]),
        ),
    )
