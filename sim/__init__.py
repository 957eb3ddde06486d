"""The robot's body and its surroundings: physics, the emulated chip, a rendered camera."""

import os

# Wherever MuJoCo comes to be imported first, it shall find out how to render without a screen.
os.environ.setdefault("MUJOCO_GL", "egl")
