"""The work of train, experiment and select, which fill a run folder; their options are in `commands`."""
