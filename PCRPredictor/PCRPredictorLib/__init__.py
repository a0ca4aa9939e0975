"""Predict pCR from breast DCE-MRI: exam, prediction and network, checks, child processes.

Importing this package loads neither torch nor monai: they are loaded by the first prediction.
"""

__version__ = "1.0.0"
