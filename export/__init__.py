"""Keras models to files for the device: convert, pack with a card, measure."""
