"""A camera in a MuJoCo scene: ``sim:scene.xml?camera=front``, or a wall with a picture."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from reflexarc.perception.cameras import CLOCK, CameraError, Clock, Device, Shot, Size, read_picture

_INSTALL = "pip install 'reflexarc[sim]'"

# A board of 0.8 m height, 1 m in front of the camera, on a wall; 53° of view show a little
# of the wall around it. Textures and sizes are filled in when it is compiled.
_SCENE = """
<mujoco>
  <visual><headlight ambient=".5 .5 .5" diffuse=".5 .5 .5" specular="0 0 0"/></visual>
  <asset>
    <texture name="floor" type="2d" builtin="checker" width="128" height="128"
             rgb1=".35 .36 .38" rgb2=".3 .31 .33"/>
    <material name="floor" texture="floor" texrepeat="8 8"/>
    <material name="board" specular="0"/>
  </asset>
  <worldbody>
    <geom type="plane" size="4 4 .1" material="floor"/>
    <geom type="box" pos="1.25 0 1" size=".2 4 2" rgba=".62 .6 .56 1"/>
    <geom name="board" type="box" pos="1.03 0 .5" size=".02 .4 .4" material="board"/>
    <camera name="front" pos="0 0 .5" xyaxes="0 -1 0 0 0 1" fovy="53"/>
  </worldbody>
</mujoco>
"""


class SimCamera(Device):
    """Camera of a MuJoCo scene; without a file, one that faces a board with a picture."""

    USAGE: ClassVar[str] = "sim:, sim:scene.xml"

    def __init__(
        self,
        address: str = "",
        *,
        camera: Annotated[str, Field(description="its name; the first if left out")] = "",
        show: Annotated[str, Field(description="a picture for the board, without a file")] = "",
        size: Annotated[Size, Field(description="width x height")] = (320, 240),
        fps: Annotated[float, Field(gt=0, le=1000, description="frames a second")] = 10.0,
        frames: Annotated[int, Field(ge=0, description="how many; 0: without end")] = 0,
        pace: Annotated[
            Literal["real", "fast"],
            Field(description="real: the scene's time is ours; fast: as they are taken, none lost"),
        ] = "real",
        shadows: Annotated[
            bool, Field(description="1: with shadows, several times slower")
        ] = False,
        clock: Clock = CLOCK,
        seq: int = 0,
    ) -> None:
        """Load the scene and start its renderer (EGL, unless MUJOCO_GL says otherwise).

        Raises:
            CameraError: no MuJoCo, no such file or camera, or nothing to render with.
        """
        os.environ.setdefault("MUJOCO_GL", "egl")
        try:
            import mujoco
        except ImportError as error:
            raise CameraError(
                expected="MuJoCo for sim: cameras", found=str(error), remedy=_INSTALL
            ) from error
        if "tensorflow" in sys.modules:
            # Mesa's software renderer and TensorFlow bring two LLVMs that crash each other.
            raise CameraError(
                expected="a process without TensorFlow, to render in",
                found="TensorFlow, imported before",
                remedy="train and simulate in two processes",
            )
        self.live = pace == "real"
        self._mujoco = mujoco
        self._clock, self._fps, self._frames, self._seq = clock, fps, frames, seq
        self._woken = threading.Event()
        self._model = _load(mujoco, address, show)
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = size
        # Software rendering takes most of its time for these (25 against 700 frames/s).
        self._model.vis.quality.offsamples = 0
        self._model.vis.quality.shadowsize = 1024
        self._camera = _find(self._model, camera)
        self._data = mujoco.MjData(self._model)
        try:
            self._renderer = mujoco.Renderer(self._model, size[1], size[0])
        except Exception as error:  # GL libraries raise whatever they like
            raise CameraError(
                expected="something to render with",
                found=(str(error).strip().splitlines() or [type(error).__name__])[0],
                remedy="apt-get install libegl1 libgl1-mesa-dri, or set MUJOCO_GL=osmesa",
            ) from error
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        self._origin_ns = clock.now_ns() - round(seq * 1e9 / fps)

    def read(self) -> Shot | None:
        """The scene, stepped to the next frame's time."""
        if self._frames and self._seq >= self._frames:
            return None
        due_ns = self._origin_ns + round(self._seq * 1e9 / self._fps)
        if self.live:
            self._clock.sleep((due_ns - self._clock.now_ns()) * 1e-9, self._woken)
        until_s = self._data.time + 1 / self._fps
        while self._data.time < until_s - self._model.opt.timestep / 2:
            self._mujoco.mj_step(self._model, self._data)
        self._renderer.update_scene(self._data, self._camera)
        self._seq += 1
        return Shot(np.asarray(self._renderer.render(), np.uint8), due_ns)

    def close(self) -> None:
        """Let go of the GL context."""
        self._renderer.close()

    def interrupt(self) -> None:
        """Wake it."""
        self._woken.set()

    @staticmethod
    def missing() -> str | None:
        """MuJoCo is an extra."""
        return None if importlib.util.find_spec("mujoco") else _INSTALL


def _load(mujoco: Any, address: str, show: str) -> Any:
    try:
        if not address:
            return _board(mujoco, show)
        return mujoco.MjModel.from_xml_path(str(Path(address).expanduser()))
    except ValueError as error:
        raise CameraError(
            expected=f"a MuJoCo scene in {address!r}",
            found=" ".join(str(error).split()) or "an error without words",
            remedy="check the path; `python -m mujoco.viewer --mjcf=FILE` shows what is wrong",
        ) from error


def _board(mujoco: Any, show: str) -> Any:
    """The built-in scene, its board with a picture's pixels and proportions."""
    spec = mujoco.MjSpec.from_string(_SCENE)
    if show:
        image = read_picture(Path(show).expanduser())
        height, width = image.shape[:2]
        # MuJoCo lays it over the far side of the box; seen from here it would be mirrored.
        texture = spec.add_texture(
            name="board", type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height
        )
        texture.nchannel = 3
        texture.data = image[:, ::-1].tobytes()
        spec.material("board").textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "board"
        spec.geom("board").size[1] = 0.4 * width / height
    return spec.compile()


def _find(model: Any, camera: str) -> int:
    names = [model.camera(number).name for number in range(model.ncam)]
    if (not camera and names) or camera in names:
        return names.index(camera) if camera else 0
    raise CameraError(
        expected=f"a camera of the scene: {', '.join(names) or 'it has none'}",
        found=camera or "none named",
        remedy="name one with ?camera=NAME" if names else "add a <camera> to the scene",
    )
