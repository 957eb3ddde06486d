"""Parity and diagnosis: where a converted model goes wrong, and what mends it."""
