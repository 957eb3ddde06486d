"""The robot's body. Empty so far: the emulator brings a simple wheel model of its own."""
