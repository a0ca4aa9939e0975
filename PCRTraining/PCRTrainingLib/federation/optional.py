"""NVIDIA FLARE, which only this command needs."""

from importlib.util import find_spec

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.extras.install import install_line


def require_flare() -> None:
    """Raise an error if NVIDIA FLARE is missing.

    Raises:
        DataError: with the line that installs it.
    """
    if find_spec("nvflare") is None:
        raise DataError(f"pcr federate needs NVIDIA FLARE; install it with: {install_line('federated')}")
