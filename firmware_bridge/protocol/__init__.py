"""What host and chip say to each other (messages) and how it is wrapped (frame)."""
