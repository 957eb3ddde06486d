"""The repository's flat top level, mapped to the import namespace ``reflexarc``.

Each folder in ROOMS is one layer of the design and becomes the package
``reflexarc.<folder>``; ``reflexarc`` itself is a namespace package. Everything
that is not a mapping stays in pyproject.toml.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOMS = (
    "core",
    "models",
    "export",
    "perception",
    "robot",
    "firmware_bridge",
    "sim",
    "cli",
)


def packages_of(room: str) -> list[str]:
    return [f"reflexarc.{room}"] + [f"reflexarc.{room}.{sub}" for sub in find_packages(room)]


def texts_of(room: str) -> dict[str, list[str]]:
    """Data that lies beside the code, in any package of a room."""
    return {package: ["py.typed", "*.yaml", "*.txt"] for package in packages_of(room)}


def files_in(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).iterdir() if path.is_file())


LAUNCH = [Path("launch"), *sorted(p for p in Path("launch").rglob("*") if p.is_dir())]
MANUAL = ["README.md"]
MANUAL_PAGES = sorted(str(page) for page in Path("docs").glob("*.md"))

setup(
    package_dir={f"reflexarc.{room}": room for room in ROOMS},
    packages=[package for room in ROOMS for package in packages_of(room)],
    package_data={
        **{package: data for room in ROOMS for package, data in texts_of(room).items()},
        "reflexarc.cli": ["py.typed", "demo/templates/*.html"],
        "reflexarc.export": ["py.typed", "*.jinja", "check/templates/*"],
        "reflexarc.perception": ["py.typed", "weights/*.tflite"],
        "reflexarc.sim": ["py.typed", "scenarios/*.yaml"],
        "reflexarc.robot.planners.parser": ["py.typed", "*.npz", "tables/*"],
        "reflexarc.firmware_bridge": [
            "py.typed",
            "protocol/*.bitproto",
            "firmware/*",
            "firmware/*/*",
            "firmware/*/*/*",
            "emulator/*.[ch]",
            "emulator/Makefile",
        ],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/reflexarc"]),
        ("share/reflexarc", ["package.xml"]),
        *((f"share/reflexarc/{folder}", files_in(str(folder))) for folder in LAUNCH),
        ("share/reflexarc/manual", MANUAL),
        ("share/reflexarc/manual/docs", MANUAL_PAGES),
    ],
)
