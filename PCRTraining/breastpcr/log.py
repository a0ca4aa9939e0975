"""The logger of the package, silent until a program sets up logging."""

import logging

LOG = logging.getLogger("breastpcr")
LOG.addHandler(logging.NullHandler())
