"""The colours in which tumours are shown, here and in the viewers that open the results."""

TUMOUR_RGB = (0.29, 0.87, 0.50)  # of a single tumour and of the largest of several
_FURTHER_RGB = ((1.0, 0.65, 0.2), (0.55, 0.65, 1.0), (1.0, 0.45, 0.75), (0.9, 0.9, 0.35))


def tumour_rgb(number: int) -> tuple[float, float, float]:
    """Return red, green and blue, each from 0 to 1, of a tumour.

    Args:
        number: of the tumour, from 0.
    """
    return TUMOUR_RGB if number == 0 else _FURTHER_RGB[(number - 1) % len(_FURTHER_RGB)]
