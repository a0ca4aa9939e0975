"""The subcommands of `pcr` for cohorts: one module each, which calls the library and prints."""
