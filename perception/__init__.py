"""What runs on the device: model runtime, cameras, tasks. No TensorFlow, no ROS."""

from reflexarc.perception.card import Card
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Keypoint, Observation
from reflexarc.perception.runtime import Model, load_model

__all__ = [
    "Box",
    "Card",
    "Detection",
    "Frame",
    "Keypoint",
    "Model",
    "Observation",
    "load_model",
]
