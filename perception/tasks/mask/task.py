"""The mask task: which faces wear a mask."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.card import InputSpec
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.runtime import Model, load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.faces.followed import SEARCH_EVERY, Faces
from reflexarc.perception.tasks.faces.task import MIN_SCORE, PEOPLE, detection, follower
from reflexarc.perception.tasks.mask.crop import crop
from reflexarc.perception.tasks.mask.vote import Vote

TASK = "mask"
MASK, NO_MASK = LABELS = ("mask", "no_mask")
BARE_SCORE = 0.7
"""A bare face is an easy one: of those in data/mask 99.7 % score at least this. What looks
bare and is found less surely is a patterned shirt more often than a face, and no vote."""


class Mask:
    """Masks as observations: label "mask" or "no_mask", the box and keypoints of the face.

    Values: "votes", frames that had a say; "face", the score of the detector.
    """

    def __init__(self, model: Model, faces: Faces) -> None:
        """Take a classifier of face crops, and what follows faces.

        Raises:
            TaskError: another kind of model.
        """
        card = model.card
        if card.task != TASK or card.labels != LABELS or not isinstance(card.input, InputSpec):
            raise TaskError(
                expected=f'a model for the task "{TASK}" with the labels {", ".join(LABELS)}',
                found=f'{card.name!r} for "{card.task}"',
                remedy="train one with `reflexarc train mask --data FOLDER`",
            )
        self._model, self._faces = model, faces
        self._size = card.input.width
        self._votes: dict[int, Vote] = {}

    def process(self, frame: Frame) -> Observation:
        """Look at one frame; the score is the votes' confidence in the label."""
        followed = self._faces.update(frame.image, frame.stamp_ns, frame.source)
        known = self._faces.tracks()
        self._votes = {track: vote for track, vote in self._votes.items() if track in known}
        found = []
        for one in followed:
            vote = self._votes.setdefault(one.track, Vote())
            mask = float(self._model.predict(crop(frame.image, one.face, self._size))[0])
            if mask > 0.5 or one.face.score >= BARE_SCORE:
                vote.add(mask)
            if vote.votes:
                values = {"votes": float(vote.votes), "face": one.face.score}
                label = MASK if vote.is_mask else NO_MASK
                found.append(detection(one.face, one.track, label, vote.confidence, values))
        found.sort(key=lambda d: -d.score)
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, tuple(found))


def open_mask(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    faces_model: str | Path | None = None,
    range: str = "auto",
    people: int = PEOPLE,
    min_score: float = MIN_SCORE,
    search_every: int = SEARCH_EVERY,
) -> Mask:
    """The task ready to look, see `reflexarc.perception.tasks.open_task`.

    Args:
        model: a classifier of face crops instead of the packaged one.
        device: where the nets run.
        faces_model, range, people, min_score, search_every: how faces are found, see
            `reflexarc.perception.tasks.faces.task.open_faces`.
    """
    faces = follower(faces_model, device, range, people, min_score, search_every)
    return Mask(load_model(model or default_model_path(TASK), device), faces)
