"""The faces task: where faces are, with six points on each and a number to know it by."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Keypoint, Observation
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.faces.blazeface import RANGES, BlazeFace
from reflexarc.perception.tasks.faces.face import LABEL, TASK, Face
from reflexarc.perception.tasks.faces.followed import SEARCH_EVERY, Detector, Faces
from reflexarc.perception.tasks.faces.yunet import YuNet

PEOPLE = 10
MIN_SCORE = 0.5


class FacesTask:
    """Faces as observations: label "face", keypoints in the order of `face.KEYPOINTS`."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def process(self, frame: Frame) -> Observation:
        """Look at one frame. Boxes reach from the brows to the chin, and may reach out of it."""
        followed = self._faces.update(frame.image, frame.stamp_ns, frame.source)
        found = sorted(
            (detection(known.face, known.track) for known in followed), key=lambda d: -d.score
        )
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, tuple(found))


def open_faces(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    range: str = "auto",
    people: int = PEOPLE,
    min_score: float = MIN_SCORE,
    search_every: int = SEARCH_EVERY,
) -> FacesTask:
    """The task ready to look, see `reflexarc.perception.tasks.open_task`.

    Args:
        model: a YuNet file (.onnx) or a BlazeFace file of our own export instead of the
            packaged BlazeFace.
        device: for BlazeFace; YuNet runs on the CPU.
        range: how far faces are from the camera: "short" (to about 2 m), "full" (to about
            5 m), or "auto", both. It has no meaning with a model.
        people: follow so many faces at most.
        min_score: less sure faces are none.
        search_every: look for new faces in every n-th frame; 1 where none may be late.
    """
    return FacesTask(follower(model, device, range, people, min_score, search_every))


def follower(
    model: str | Path | None,
    device: str,
    range: str,
    people: int,
    min_score: float,
    search_every: int = SEARCH_EVERY,
) -> Faces:
    """What `open_faces` follows faces with.

    Raises:
        TaskError: an option out of its limits, or another task's model.
        ModelFileError: the model file cannot be used.
    """
    if people < 1 or search_every < 1 or not 0 < min_score < 1:
        raise TaskError(
            expected="people and search_every of at least 1, min_score between 0 and 1",
            found=f"{people}, {search_every}, {min_score}",
            remedy="leave them out, or choose others",
        )
    if range not in ("auto", *RANGES):
        raise TaskError(
            expected=f'range "auto", {", ".join(map(repr, RANGES))}',
            found=repr(range),
            remedy="leave it out: auto looks both near and far",
        )
    wide: list[Detector]
    if model is not None:
        own = Path(model)
        net = YuNet(own) if own.suffix == ".onnx" else BlazeFace(load_model(own, device))
        wide, near = [net], net
    else:
        # In a square around a face it is as large as the short range likes it, and that
        # net takes a third of the time.
        near = _packaged("short", device)
        wide = [near] if range != "full" else []
        wide += [_packaged("full", device)] if range != "short" else []
    return Faces(wide, near, people=people, min_score=min_score, search_every=search_every)


def _packaged(range: str, device: str) -> BlazeFace:
    return BlazeFace(load_model(default_model_path(f"faces_{range}"), device))


def detection(
    face: Face,
    track: int,
    label: str = LABEL,
    sure: float | None = None,
    values: dict[str, float] | None = None,
) -> Detection:
    """A face as a detection; the score is the face's own unless `sure` is given."""
    scores = [face.score] * 4 + [face.score if face.has_ears else 0.0] * 2
    return Detection(
        label,
        face.score if sure is None else sure,
        Box(face.left, face.top, face.right - face.left, face.bottom - face.top),
        track,
        tuple(
            Keypoint(x, y, score)
            for (x, y), score in zip(face.points.tolist(), scores, strict=True)
        ),
        values or {},
    )
