"""The names of the networks, without torch: a bundle is checked before anything is built."""

from ..errors import DataError

OWN = "own"
NAMES = (OWN, "resnet", "densenet", "efficientnet", "swin")


def check_backbone(name: object, source: str) -> None:
    """Check that the name is on the list: no class is ever imported by a name in a file.

    Args:
        source: of the name, for the message.

    Raises:
        DataError: if it is not.
    """
    if name not in NAMES:
        raise DataError(f"{source}: network must be one of {', '.join(NAMES)}, got {name!r}; update BreastPCR")
