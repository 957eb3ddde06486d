"""A wheel of the package over ROS 2's own wheels: CMake generates, setuptools packs.

Nothing is written beside the sources: setuptools and CMake work in a temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

NAME = "reflexarc_interfaces"
SOURCES = Path(__file__).resolve().parent
# What a Python program and its tools look for. The rest serves C++, or names this machine.
INDEX = "share/ament_index/resource_index"
SHARED = (
    f"{INDEX}/packages",
    f"{INDEX}/package_run_dependencies",
    f"{INDEX}/rosidl_interfaces",
    f"share/{NAME}/package.xml",
    f"share/{NAME}/msg",
    f"share/{NAME}/srv",
    f"share/{NAME}/action",
)


def ros_prefix() -> Path:
    """Where ROS 2's wheels are installed: the folder with their lib/ and share/."""
    generator = importlib.util.find_spec("rosidl_generator_py")
    if generator is None or generator.origin is None:
        sys.exit(
            "reflexarc_interfaces: expected ROS 2's wheels (x86_64 Linux); found none; "
            "install the packages of pyproject.toml, or build with colcon"
        )
    # prefix/lib/python3.x/site-packages/rosidl_generator_py/__init__.py
    return Path(generator.origin).resolve().parents[4]


def ros_environment(prefix: Path) -> dict[str, str]:
    """What CMake and the generators that it calls need to know."""
    environment = dict(os.environ)
    # A build that pip isolates has its packages elsewhere than its interpreter.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment["PYTHONPATH"] = str(prefix / "lib" / version / "site-packages")
    environment["AMENT_PREFIX_PATH"] = str(prefix)
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(
        [str(prefix / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    )
    scripts = [str(prefix / "bin"), sysconfig.get_path("scripts")]
    environment["PATH"] = os.pathsep.join([*scripts, os.environ.get("PATH", os.defpath)])
    # The wheels restart an interpreter that has not their LD_LIBRARY_PATH; ours has.
    environment["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"
    return environment


def generate(work: Path) -> Path:
    """Run CMake in a folder; gives the one that it installed into."""
    prefix, installed = ros_prefix(), work / "installed"
    environment = ros_environment(prefix)

    def cmake(*arguments: str) -> None:
        program = shutil.which("cmake", path=environment["PATH"]) or "cmake"
        subprocess.run([program, *arguments], env=environment, check=True)

    cmake(
        *("-S", str(SOURCES), "-B", str(work / "cmake"), "-G", "Ninja"),
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_INSTALL_PREFIX={installed}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF",
        "-DONLY_PYTHON=ON",
        f"-DPython3_EXECUTABLE={sys.executable}",
    )
    cmake("--build", str(work / "cmake"))
    cmake("--install", str(work / "cmake"))
    return installed


def files_below(path: Path) -> list[Path]:
    return [entry for entry in (path, *sorted(path.rglob("*"))) if entry.is_file()]


class BuildInterfaces(build_py):
    """Generates the package; its libraries and definitions become data files."""

    def run(self) -> None:
        installed = generate(Path(self.get_finalized_command("build").build_temp).resolve())
        package = next(installed.glob(f"lib/python*/site-packages/{NAME}"))
        shutil.copytree(
            package,
            Path(self.build_lib, NAME),
            ignore=shutil.ignore_patterns("*.c", "__pycache__"),
            dirs_exist_ok=True,
        )
        data = sorted(installed.glob("lib/*.so"))
        for entry in SHARED:
            data += files_below(installed / entry)
        self.distribution.data_files = [
            (str(path.parent.relative_to(installed)), [str(path)]) for path in data
        ]


class BinaryDistribution(Distribution):
    """Compiled for one Python and one machine, and so named."""

    def has_ext_modules(self) -> bool:
        return True


with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder:
    setup(
        packages=[NAME],
        package_dir={NAME: "."},
        cmdclass={"build_py": BuildInterfaces},
        distclass=BinaryDistribution,
        options={"build": {"build_base": folder}, "egg_info": {"egg_base": folder}},
    )
