from __future__ import annotations

import resource
from pathlib import Path

import pytest

from reflexarc.core import ReflexarcError, WriteError, atomic_write, cache_dir


def test_a_write_that_succeeds_replaces_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.txt"
    for text in ("first", "second"):
        with atomic_write(path) as temporary:
            temporary.write_text(text)
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["report.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.txt"]


def test_the_temporary_name_has_the_ending_that_writers_insist_on(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "model.keras") as temporary:
        assert (temporary.suffix, temporary.parent) == (".keras", tmp_path)
        temporary.touch()


def test_a_disk_that_fills_up_is_an_error_that_says_so(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "big.bin"
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        full = pytest.raises(WriteError, match=r"room for .*big.bin.*free some space")
        with full, atomic_write(path) as temporary:
            temporary.write_bytes(bytes(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    impossible = tmp_path / "file" / "model.tflite"
    with pytest.raises(WriteError, match="check the folder"), atomic_write(impossible):
        pass


def test_a_written_file_has_the_permissions_of_a_plain_one(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with atomic_write(tmp_path / "atomic") as temporary:
        temporary.touch()
    assert (tmp_path / "atomic").stat().st_mode == plain.stat().st_mode


def test_the_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir("a", "b") == tmp_path / "reflexarc" / "a" / "b"
    assert cache_dir("a", "b").is_dir()


def test_an_error_says_expected_found_and_remedy() -> None:
    error = ReflexarcError(expected="a cat", found="a dog", remedy="feed it fish")
    assert str(error) == "expected a cat; found a dog; feed it fish"
    assert error.as_dict() == {
        "error": "ReflexarcError",
        "expected": "a cat",
        "found": "a dog",
        "remedy": "feed it fish",
    }
