"""Poses: where the 17 keypoints of a body are."""
