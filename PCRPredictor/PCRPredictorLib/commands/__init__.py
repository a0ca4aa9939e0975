"""The options and printed lines of the subcommands of `pcr` without training: one module each."""
