"""The small Transformer that tells what a clause of an order means."""
