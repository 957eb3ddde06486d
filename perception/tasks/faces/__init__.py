"""Where faces are: BlazeFace or YuNet, looked for near where they were."""
