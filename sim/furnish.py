"""A scenario's things as geoms, textures and lights in a MuJoCo scene.

Groups of geoms: 0 is solid (the robot bumps into it, its range sensor sees it), 4 is only to
be seen, 5 is for films only. The robot's own are 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.sim.mjcf import FLOOR
from reflexarc.sim.pictures import Reel
from reflexarc.sim.scenario import Scenario
from reflexarc.sim.things import Board, Box, Cylinder, Wall

Image = npt.NDArray[np.uint8]

SOLID, SEEN, CAPTION = 0, 4, 5
BLANK = np.array((206, 202, 194), np.uint8)
"""A board that shows nothing."""

_SHEET_M, _BACK_M, _FRAME_M = 0.0005, 0.004, 0.008
_FOOT_M = 0.02
_SMALLEST_PX = 64
_TILE_PX, _TILE_M = 512, 1.0


def furnish(
    spec: Any,
    scenario: Scenario,
    reels: Mapping[str, tuple[Reel | None, ...]],
    *,
    captions: bool = False,
) -> None:
    """Put a scenario into a scene that holds the robot and a floor only.

    Args:
        spec: MuJoCo's `MjSpec`, changed.
        scenario: what stands where.
        reels: what each board can show.
        captions: lay a copy of each board's picture on the floor behind it, for films from
            above; nothing that the robot can see.
    """
    import mujoco

    _surroundings(mujoco, spec, scenario)
    for name, board in scenario.boards.items():
        _board(mujoco, spec, name, board, texture_size(reels[name]))
        if captions:
            _caption(mujoco, spec, name, board, texture_size(reels[name]))
    for name, box in scenario.boxes.items():
        _box(mujoco, spec, name, box)
    for name, cylinder in scenario.cylinders.items():
        _cylinder(mujoco, spec, name, cylinder)
    for name, wall in scenario.walls.items():
        _wall(mujoco, spec, name, wall)


def texture_size(reels: tuple[Reel | None, ...]) -> tuple[int, int]:
    """Width and height of a board's texture: those of the first picture that is there."""
    for reel in reels:
        if reel is not None:
            height, width = reel.frames[0].shape[:2]
            grow = max(1.0, _SMALLEST_PX / min(width, height))
            return round(width * grow), round(height * grow)
    return 128, 128


def sheet_pixels(image: Image | None, size: tuple[int, int]) -> Image:
    """A picture in its texture's shape; blank where there is none."""
    if image is None:
        return np.broadcast_to(BLANK, (size[1], size[0], 3)).copy()
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _surroundings(mujoco: Any, spec: Any, scenario: Scenario) -> None:
    sky = spec.add_texture(name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX)
    sky.builtin = mujoco.mjtBuiltin.mjBUILTIN_GRADIENT
    sky.rgb1, sky.rgb2 = (0.93, 0.95, 0.97), (0.62, 0.68, 0.75)
    sky.width, sky.height = 128, 768
    _paint(mujoco, spec, "mat", floor_tile(), specular=0.1)
    material = spec.material("mat")
    material.texuniform = True
    material.texrepeat = (1 / _TILE_M, 1 / _TILE_M)
    floor = spec.geom(FLOOR)
    floor.size = (scenario.arena[0] / 2, scenario.arena[1] / 2, 0.1)
    floor.pos = (*scenario.centre, 0)
    floor.material = "mat"
    light = spec.visual.headlight
    light.ambient, light.diffuse = (0.42, 0.42, 0.42), (0.22, 0.22, 0.22)
    spec.visual.map.znear, spec.visual.map.zfar = 0.005, 30.0
    spec.stat.extent, spec.stat.center = 2.0, (*scenario.centre, 0.1)
    sun = spec.light("sun")
    sun.pos = (scenario.centre[0] - 0.35 * 3.5, scenario.centre[1] - 0.45 * 3.5, 3.5)
    sun.dir = (0.35, 0.45, -1.0)
    sun.diffuse, sun.specular = (0.5, 0.49, 0.47), (0.1, 0.1, 0.1)
    sun.castshadow = True


def _board(mujoco: Any, spec: Any, name: str, board: Board, size: tuple[int, int]) -> None:
    height = board.height
    width = height * size[0] / size[1] if board.width is None else board.width
    _paint(mujoco, spec, name, sheet_pixels(None, size), emission=0.25)
    body = _body(spec, name, board)
    lean = math.radians(board.lean_deg)
    turn = (math.cos(lean / 2), 0.0, -math.sin(lean / 2), 0.0)
    up = np.array([-math.sin(lean), 0.0, math.cos(lean)])
    ahead = np.array([math.cos(lean), 0.0, math.sin(lean)])
    middle = np.array([0.0, 0.0, _FOOT_M]) + up * height / 2
    box = mujoco.mjtGeom.mjGEOM_BOX
    body.add_geom(
        name=f"{name}_sheet",
        type=box,
        size=(_SHEET_M / 2, width / 2, height / 2),
        pos=middle,
        quat=turn,
        material=name,
        contype=0,
        conaffinity=0,
        group=SEEN,
    )
    solid = {"contype": 0, "conaffinity": int(board.solid)}
    solid["group"] = SOLID if board.solid else SEEN
    behind = (_BACK_M + _SHEET_M) / 2 + 0.0005
    body.add_geom(
        name=f"{name}_back",
        type=box,
        size=(_BACK_M / 2, width / 2 + _FRAME_M, height / 2 + _FRAME_M),
        pos=middle - ahead * behind,
        quat=turn,
        rgba=(0.24, 0.26, 0.3, 1),
        **solid,
    )
    body.add_geom(
        name=f"{name}_foot",
        type=box,
        size=(0.03, width * 0.3 + 0.01, 0.006),
        pos=(-0.025, 0, 0.006),
        rgba=(0.24, 0.26, 0.3, 1),
        **solid,
    )


def _caption(mujoco: Any, spec: Any, name: str, board: Board, size: tuple[int, int]) -> None:
    """Flat behind the board, upright for who looks along the y axis, with a dark rim."""
    height = min(board.height, 0.3)
    width = height * size[0] / size[1]
    turn = -math.radians(board.yaw_deg)
    body = spec.body(name)
    behind = -(max(width, height) / 2 + 0.06)
    for part, rim, z, look in (
        ("rim", 0.008, 0.001, {"rgba": (0.24, 0.26, 0.3, 1)}),
        ("caption", 0.0, 0.0025, {"material": name}),
    ):
        body.add_geom(
            name=f"{name}_{part}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=(width / 2 + rim, height / 2 + rim, 0.0005),
            pos=(behind, 0, z),
            quat=(math.cos(turn / 2), 0, 0, math.sin(turn / 2)),
            contype=0,
            conaffinity=0,
            group=CAPTION,
            **look,
        )


def _box(mujoco: Any, spec: Any, name: str, box: Box) -> None:
    half = [edge / 2 for edge in box.size]
    _body(spec, name, box).add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=half,
        pos=(0, 0, half[2]),
        rgba=(*box.colour, 1),
        contype=0,
        conaffinity=1,
        group=SOLID,
    )


def _cylinder(mujoco: Any, spec: Any, name: str, cylinder: Cylinder) -> None:
    _body(spec, name, cylinder).add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(cylinder.diameter / 2, cylinder.height / 2, 0),
        pos=(0, 0, cylinder.height / 2),
        rgba=(*cylinder.colour, 1),
        contype=0,
        conaffinity=1,
        group=SOLID,
    )


def _wall(mujoco: Any, spec: Any, name: str, wall: Wall) -> None:
    for number, ((x0, y0), (x1, y1)) in enumerate(zip(wall.points, wall.points[1:], strict=False)):
        yaw = math.atan2(y1 - y0, x1 - x0)
        # Half a thickness longer at each end, so that corners are closed.
        length = math.hypot(x1 - x0, y1 - y0) + wall.thickness
        spec.worldbody.add_geom(
            name=f"{name}_{number}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=(length / 2, wall.thickness / 2, wall.height / 2),
            pos=((x0 + x1) / 2, (y0 + y1) / 2, wall.height / 2),
            quat=(math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)),
            rgba=(*wall.colour, 1),
            contype=0,
            conaffinity=1,
            group=SOLID,
        )


def _body(spec: Any, name: str, thing: Board | Box | Cylinder) -> Any:
    """A body that is moved by hand: it pushes, and is not pushed."""
    yaw = math.radians(thing.yaw_deg)
    body = spec.worldbody.add_body(
        name=name, pos=(*thing.at, thing.z), quat=(math.cos(yaw / 2), 0, 0, math.sin(yaw / 2))
    )
    body.mocap = True
    return body


def _paint(
    mujoco: Any,
    spec: Any,
    name: str,
    pixels: Image,
    *,
    emission: float = 0.0,
    specular: float = 0.0,
) -> None:
    height, width = pixels.shape[:2]
    texture = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height
    )
    texture.nchannel = 3
    texture.data = pixels.tobytes()
    material = spec.add_material(name=name, specular=specular, emission=emission)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def floor_tile() -> Image:
    """A square metre of mat: a line every 10 cm, so that distances can be read off a film."""
    rng = np.random.default_rng(1)
    coarse = rng.normal(0, 1, (_TILE_PX // 8, _TILE_PX // 8, 1)).astype(np.float32)
    grain = cv2.resize(coarse, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_CUBIC)[..., None]
    grain = grain * 1.2 + rng.normal(0, 1.5, (_TILE_PX, _TILE_PX, 1))
    tile = np.array([186.0, 190.0, 190.0]) + grain
    for number in range(10):
        at = round(number * _TILE_PX / 10)
        strength = 22 if number % 5 == 0 else 9
        half = 2 if number % 5 == 0 else 1
        for offset in range(-half, half):
            tile[(at + offset) % _TILE_PX] -= strength
            tile[:, (at + offset) % _TILE_PX] -= strength
    return np.clip(np.rint(tile), 0, 255).astype(np.uint8)
