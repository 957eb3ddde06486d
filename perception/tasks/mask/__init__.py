"""Whether faces wear a mask: faces are found, cut out, judged, and voted on over time."""
