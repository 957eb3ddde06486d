"""Says which digits the digits task reads in what the robot sees of a Gazebo world at its start.

A program of its own: MuJoCo's renderer and TensorFlow cannot live in one process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mujoco
from gazebo_stand_in import add_world

from reflexarc.perception.frame import Frame
from reflexarc.perception.tasks import open_task
from reflexarc.sim.description import rover
from reflexarc.sim.mjcf import CAMERA
from reflexarc.sim.plant import Nothing, scene


def main() -> None:
    """Argument: the world's file; a second one: where to write the picture."""
    robot = rover()
    spec = scene(robot, Nothing())
    add_world(spec, Path(sys.argv[1]))
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, robot.camera.height, robot.camera.width) as renderer:
        renderer.update_scene(data, CAMERA)
        image = renderer.render().copy()
    if len(sys.argv) > 2:
        import cv2

        cv2.imwrite(sys.argv[2], image[..., ::-1])
    task = open_task("digits")
    seen = task.process(Frame(image, 1, 1, "world"))
    print(*(found.label for found in seen.detections))


if __name__ == "__main__":
    main()
