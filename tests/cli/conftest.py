from __future__ import annotations

import pytest
from homes import home
from shell import Done, Run

from reflexarc.cli.main import main

__all__ = ["home", "reflexarc"]


@pytest.fixture
def reflexarc(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process, as a shell would see it."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        return Done(code, *capfd.readouterr())

    return run
