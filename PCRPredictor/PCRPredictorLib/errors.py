"""The one exception that a user is meant to read."""


class DataError(ValueError):
    """The data given cannot be used; the message is one sentence that says what is wrong and what to do.

    The command line prints the message and exits with 1, the Slicer module shows it once.
    """
