"""Where a call may write: as the command may."""

from __future__ import annotations

from collections.abc import Mapping

from PCRPredictorLib.calls.place import OUT, check_out, describe_replaced

from .log import LOG


def check_place(command: str, values: Mapping[str, object]) -> None:
    """Refuse a folder for results that the command refuses; log that earlier results in it are replaced.

    Args:
        command: its name, such as "predict".
        values: of its parameters, by name: `out`, and the inputs as paths.

    Raises:
        CallError: saying what to give instead.
    """
    check_out(values, OUT)
    if replaced := describe_replaced(command, values, OUT):
        LOG.warning(replaced)
