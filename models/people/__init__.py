"""SSDLite for pedestrians: packaged weights into Keras, for our own export."""
