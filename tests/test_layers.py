"""Who may import whom (the design's table), and where heavy libraries may live."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# room -> what of reflexarc it may import besides itself
ALLOWED = {
    "core": (),
    "perception": ("core",),
    "firmware_bridge": ("core",),
    # What a net is trained on is made by the code that runs on the device.
    "models": (
        "core",
        "perception.card",
        "perception.fit",
        "perception.keypoints",
        "perception.modelfile",
        "perception.tasks",
    ),
    "export": ("core", "models", "perception"),
    "robot": ("core", "perception", "firmware_bridge"),
    "sim": ("core", "firmware_bridge.emulator", "perception.cameras", "perception.frame"),
    "cli": ("core", "models", "export", "perception", "robot", "firmware_bridge", "sim"),
}
# Places that may import a little more than their room.
ALSO = {"robot/nodes": ("sim",)}
# library -> the only places that may import it
HEAVY = {
    "tensorflow": ("models", "export"),
    "keras": ("models", "export"),
    "matplotlib": ("models", "export", "cli/demo"),
    "rclpy": ("robot/nodes",),
    "mujoco": ("sim",),
}


def imports_of(path: Path) -> set[str]:
    """Absolute dotted names that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def sources() -> list[Path]:
    return [path for room in ALLOWED for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_room_is_packaged_and_has_a_rule() -> None:
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (rooms,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOMS"
    )
    assert set(rooms) == set(ALLOWED)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_never_go_up_or_sideways(path: Path) -> None:
    where = path.relative_to(ROOT)
    allowed = (where.parts[0], *ALLOWED[where.parts[0]])
    for place, more in ALSO.items():
        if where.is_relative_to(place):
            allowed += more
    for name in imports_of(path):
        if under(name, "reflexarc"):
            inner = name.removeprefix("reflexarc.")
            assert any(under(inner, prefix) for prefix in allowed), f"{where} imports {name}"
        for library, places in HEAVY.items():
            if under(name, library):
                assert any(str(where).startswith(place) for place in places), (
                    f"{where} imports {name}"
                )


@pytest.mark.parametrize(
    "module", ["reflexarc.perception", "reflexarc.robot.controller", "reflexarc.cli.main"]
)
def test_the_device_side_loads_no_training_library(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([m for m in ('tensorflow', 'keras', 'rclpy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
