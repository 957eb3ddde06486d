"""Who walks where: pedestrians found, followed and counted."""
