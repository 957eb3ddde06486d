"""Pictures of a MuJoCo model: cheap ones for the robot's camera, good ones for films.

Mesa's software renderer and TensorFlow bring two LLVMs that crash each other, so nothing
renders in a process that has imported TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from typing_extensions import Self

Image = npt.NDArray[np.uint8]

Point = tuple[float, float, float]

_MOST_GEOMS = 3000
_LINE_M = 0.006


class RenderError(ReflexarcError):
    """Nothing to render with."""


def load_mujoco() -> Any:
    """The package `mujoco`, set up to render without a screen unless MUJOCO_GL says otherwise.

    Raises:
        RenderError: it is not installed, or TensorFlow is in this process.
    """
    os.environ.setdefault("MUJOCO_GL", "egl")
    if "tensorflow" in sys.modules:
        raise RenderError(
            expected="a process without TensorFlow, to render in",
            found="TensorFlow, imported before",
            remedy="train and simulate in two processes",
        )
    try:
        import mujoco
    except ImportError as error:
        raise RenderError(
            expected="MuJoCo", found=str(error), remedy="pip install 'reflexarc[sim]'"
        ) from error
    return mujoco


class Eye:
    """Renders one model in one size; a context manager. One thread uses it.

    Args:
        model: MuJoCo's.
        size: of the pictures, width and height in pixels.
        fine: with shadows and smooth edges, some 20 times slower.
        groups: of geoms that are seen.

    Raises:
        RenderError: there is nothing to render with.
    """

    def __init__(
        self,
        model: Any,
        size: tuple[int, int],
        *,
        fine: bool = False,
        groups: tuple[int, ...] = (0, 1, 2, 4),
    ) -> None:
        mujoco = load_mujoco()
        self._gl: Any = None
        self._mujoco, self._model = mujoco, model
        self._size = size
        model.vis.global_.offwidth, model.vis.global_.offheight = size
        # Software rendering takes most of its time for these.
        model.vis.quality.offsamples = 4 if fine else 0
        model.vis.quality.shadowsize = 2048 if fine else 1024
        self._seen: dict[int, int] = {}
        self._buffer = np.empty((size[1], size[0], 3), np.uint8)
        self._rect = mujoco.MjrRect(0, 0, *size)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[list(groups)] = 1
        self._scene = mujoco.MjvScene(model, maxgeom=_MOST_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = fine
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        try:
            self._gl = mujoco.GLContext(*size)
            self._gl.make_current()
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_150.value)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        except Exception as error:  # GL libraries raise whatever they like
            raise RenderError(
                expected="something to render with",
                found=(str(error).strip().splitlines() or [type(error).__name__])[0],
                remedy="apt-get install libegl1 libgl1-mesa-dri, or set MUJOCO_GL=osmesa",
            ) from error

    def see(
        self,
        data: Any,
        camera: Any,
        textures: Mapping[int, int] | None = None,
        lines: Sequence[tuple[Point, Point]] = (),
        colour: tuple[float, float, float, float] = (0.1, 0.45, 0.85, 0.8),
    ) -> Image:
        """Take a picture.

        Args:
            data: MuJoCo's, after `mj_forward` or a step.
            camera: a camera's number in the model, or an `MjvCamera`.
            textures: version of each texture that may change, by its number.
            lines: to be drawn into the scene, from a point to another, metres.
            colour: of them; red, green, blue, opacity, 0 to 1.

        Returns:
            uint8 (height, width, 3), RGB, the caller's to keep.
        """
        mujoco = self._mujoco
        self._gl.make_current()
        for number, version in (textures or {}).items():
            if self._seen.get(number) != version:
                mujoco.mjr_uploadTexture(self._model, self._context, number)
                self._seen[number] = version
        if not isinstance(camera, mujoco.MjvCamera):
            fixed = mujoco.MjvCamera()
            fixed.type = mujoco.mjtCamera.mjCAMERA_FIXED
            fixed.fixedcamid = camera
            camera = fixed
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            None,
            camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        for start, end in lines:
            self._add_line(start, end, colour)
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(self._buffer, None, self._rect, self._context)
        return np.ascontiguousarray(self._buffer[::-1])  # GL's first row is the lowest

    def _add_line(
        self, start: Point, end: Point, colour: tuple[float, float, float, float]
    ) -> None:
        mujoco, scene = self._mujoco, self._scene
        if scene.ngeom >= scene.maxgeom:
            return
        geom = scene.geoms[scene.ngeom]
        kind = mujoco.mjtGeom.mjGEOM_CAPSULE
        rgba = np.array(colour, np.float32)
        mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), rgba)
        mujoco.mjv_connector(geom, kind, _LINE_M, np.array(start), np.array(end))
        scene.ngeom += 1

    def close(self) -> None:
        """Let go of the GL context. May be called again."""
        if self._gl is not None:
            self._gl.make_current()
            self._context.free()
            self._gl.free()
            self._gl = None

    def __del__(self) -> None:
        """MuJoCo's own destructor would free what is in whichever context is current."""
        with contextlib.suppress(Exception):
            self.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()
