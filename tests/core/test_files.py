from __future__ import annotations

from pathlib import Path

import pytest

from reflexarc.core import ReflexarcError, atomic_write, cache_dir


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
