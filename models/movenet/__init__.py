"""MoveNet Lightning: packaged weights into Keras, for our own export."""
