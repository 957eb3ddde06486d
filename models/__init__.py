"""What we train: model families, data sets, packaged assets."""
