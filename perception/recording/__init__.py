"""Recordings: what the camera saw and what the tasks said, in one MCAP file."""

from reflexarc.perception.recording.errors import RecordingError
from reflexarc.perception.recording.provenance import ModelFile, TaskRun, open_run
from reflexarc.perception.recording.reader import Look, Recording
from reflexarc.perception.recording.replay import Replay, TaskReport, other_models, other_tools
from reflexarc.perception.recording.writer import Recorder

__all__ = [
    "Look",
    "ModelFile",
    "Recorder",
    "Recording",
    "RecordingError",
    "Replay",
    "TaskReport",
    "TaskRun",
    "open_run",
    "other_models",
    "other_tools",
]
