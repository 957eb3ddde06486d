"""MediaPipe Tasks loads our RGB classifiers as they are, and gives our answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reflexarc.export.convert import convert
from reflexarc.export.metadata import pack
from reflexarc.models import mask, transfer
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Family
from reflexarc.models.training import real_values

PHOTOS = 300

COMPARE = """
import json, sys
from pathlib import Path
import numpy as np
from reflexarc.export.engines.registry import ENGINES, open_with
from reflexarc.perception.modelfile import read_card
path, photos = Path(sys.argv[1]), np.load(sys.argv[2])
card = read_card(path)
engines = [open_with(ENGINES[name], path, card) for name in ("litert", "mediapipe")]
scores = np.array([[engine.run(photo)[0][0] for engine in engines] for photo in photos])
print(json.dumps({
    "agreement": float((scores[:, 0].argmax(1) == scores[:, 1].argmax(1)).mean()),
    "worst": float(np.abs(scores[:, 0] - scores[:, 1]).max()),
    "answers": len(set(scores[:, 0].argmax(1).tolist())),
}))
"""


def transfer_model(data: Dataset) -> object:
    """The family's net with a head solved on some photos: quick, and not blind."""
    from reflexarc.models import backbone, finetune
    from reflexarc.models.features import features

    net = backbone.imagenet(None)
    plan = finetune.Plan(name="transfer", augment=transfer.vary)
    model = finetune.classifier(plan, net, len(data.labels))
    chosen = np.random.default_rng(0).permutation(len(data.train))[:200]
    known = type(data.train)(
        *(np.asarray(getattr(data.train, name))[chosen] for name in ("inputs", "labels", "sizes")),
        (),
    )
    x = features(net, transfer.SPEC, known)
    wanted = 4 * np.eye(len(data.labels))[known.labels]
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ wanted)
    model.get_layer("score").set_weights([weights, np.zeros(len(data.labels))])
    return model


@pytest.mark.parametrize(
    ("family", "folder"), [(transfer.FAMILY, "clothing10"), (mask.FAMILY, "mask")]
)
def test_mediapipe_tasks_agrees_on_real_photos(
    shared_data: Path, mediapipe_site: Path, tmp_path: Path, family: Family, folder: str
) -> None:
    data = family.load(shared_data / folder)
    model = family.ready() if family.ready else transfer_model(data)
    spread = np.linspace(0, len(data.train) - 1, 40).astype(int)
    representative = real_values(family.input, np.asarray(data.train.inputs)[spread])
    card = card_of(family, data).model_copy(update={"quantization": "int8"})
    path = tmp_path / f"{family.name}-int8.tflite"
    path.write_bytes(pack(convert(model, "int8", representative, family.input), card))
    photos = np.concatenate([data.test.inputs, data.validation.inputs])[:PHOTOS]
    np.save(tmp_path / "photos.npy", photos)
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(path), str(tmp_path / "photos.npy")],
        env={**os.environ, "PYTHONPATH": str(mediapipe_site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(photos) == PHOTOS
    assert found["agreement"] >= 0.99
    assert found["worst"] <= 1 / 256
    assert found["answers"] >= 2
