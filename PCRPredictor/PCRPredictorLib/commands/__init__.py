"""The subcommands of `pcr` that need no training: one module each, which calls the library and prints."""
