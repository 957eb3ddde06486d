"""The robot's core: actions, configuration, reflexes, the safety gate, skills, the loop."""
