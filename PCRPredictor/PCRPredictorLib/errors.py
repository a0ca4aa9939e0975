"""The exception whose message is written for users."""


class DataError(ValueError):
    """Report data that cannot be used, in one sentence: what is wrong and what to do.

    The command line prints the message and exits with 1; panel and page show it once.
    """
