"""Inference engines that run our model files: one adapter a module, listed in `registry`."""
