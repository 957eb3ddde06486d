"""A small Transformer for orders: what the parser was weighed against, and does not use."""
