"""The whole robot in a box: a scenario run from beginning to end, and what must hold in it."""
