"""Libraries and devices that run model files, each a plug-in (`reflexarc.backends`)."""
