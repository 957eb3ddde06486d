"""The camera alone: its pictures as topics, for whoever looks at them elsewhere."""

from __future__ import annotations

from reflexarc.robot.nodes.managed import run
from reflexarc.robot.nodes.seeing import CameraParameters, SeeingNode


class CameraNode(SeeingNode[CameraParameters]):
    """Publishes a camera's pictures while somebody subscribes."""

    NAME = "camera"
    PARAMETERS = CameraParameters


def main() -> None:
    """The program camera_node."""
    run(CameraNode)


if __name__ == "__main__":
    main()
