from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reflexarc.core import PluginError
from reflexarc.firmware_bridge.drivers import drivers, open_driver


def add_package(folder: Path, name: str, entry_points: str, source: str) -> None:
    """A package as pip would leave it, with its drivers."""
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[reflexarc.boards]\n{entry_points}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_reflexarcs_own_drivers_are_there() -> None:
    assert {"rover", "sim", "feetech", "dynamixel"} <= set(drivers())


def test_a_stranger_adds_a_driver_from_his_own_package(site: Path) -> None:
    add_package(
        site,
        "hexapod_board",
        "hexapod = hexapod_board:open_hexapod",
        "class Legs:\n"
        "    names = ('coxa',)\n"
        "    def __init__(self, config): self.config = config\n"
        "    def set_servos(self, angles): return dict(angles)\n"
        "    def servo_angles(self): return {'coxa': None}\n"
        "    def release_servos(self, names=None): pass\n"
        "    def close(self): pass\n"
        "def open_hexapod(config): return Legs(config)\n",
    )
    from reflexarc.firmware_bridge.drivers import Servos, Wheels

    assert "hexapod" in drivers()
    legs = open_driver("hexapod", {"port": "somewhere"})
    assert legs.config == {"port": "somewhere"}
    assert isinstance(legs, Servos)
    assert not isinstance(legs, Wheels)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        PluginError, match=r"dynamixel, .*found 'dynamixle'; did you mean dynamixel"
    ):
        open_driver("dynamixle", {})
    with pytest.raises(PluginError, match="install the package that brings it"):
        open_driver("zzzz", {})


def test_a_driver_whose_library_is_missing_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "reflexarc.firmware_bridge.drivers.feetech", raising=False)
    monkeypatch.setitem(sys.modules, "scservo_sdk", None)
    with pytest.raises(PluginError, match=r"scservo_sdk.*pip install 'reflexarc\[servos\]'"):
        open_driver("feetech", {})


def test_a_strangers_broken_driver_names_his_package(site: Path) -> None:
    add_package(site, "broken_board", "broken = broken_board:open_it", "import no_such_library\n")
    with pytest.raises(PluginError, match=r"no_such_library.*pip install.* broken_board"):
        open_driver("broken", {})


def test_two_drivers_of_one_name_are_not_guessed_between(site: Path) -> None:
    add_package(site, "first_twin", "twin = first_twin:open_it", "")
    add_package(site, "second_twin", "twin = second_twin:open_it", "")
    with pytest.raises(PluginError, match="first_twin:open_it, second_twin:open_it; uninstall"):
        open_driver("twin", {})
