"""The net that finds digits: made-up scenes, targets, network, training."""
