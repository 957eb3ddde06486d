"""MoveNet's door to train, export and check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflexarc.models.family import Dataset, Family, Options, Trained
from reflexarc.models.movenet.photos import INPUT, load
from reflexarc.perception.tasks.pose.movenet import OUTPUTS, TASK

if TYPE_CHECKING:
    import keras


def ready() -> keras.Model:
    """The published weights, in Keras."""
    from reflexarc.models.movenet.network import build

    return build()


def train(data: Dataset, options: Options) -> Trained:
    """Import the published weights; nothing is fitted."""
    return Trained(model=ready(), history={})


FAMILY = Family(
    name="movenet",
    description="Body keypoints of one person, MoveNet Lightning, 192x192",
    task=TASK,
    input=INPUT,
    outputs=OUTPUTS,
    thresholds={"keypoint": 0.2, "body": 0.35},
    licence="Apache-2.0",
    load=load,
    train=train,
    ready=ready,
    ready_asset="movenet",
)
