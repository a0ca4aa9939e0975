"""The options and printed lines of `pcr train` and the other subcommands for cohorts; the work is in `runs`."""
