"""The commands that fill a folder: train, experiment, select."""
