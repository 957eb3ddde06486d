"""Fit the packaged machines again, after a table of the lexicon has changed."""

from __future__ import annotations

from pathlib import Path

from reflexarc.robot.embedding import default_embedder
from reflexarc.robot.planners.parser.examples import write_machines

if __name__ == "__main__":
    write_machines(default_embedder(), Path(__file__).with_name("examples.npz"))
