"""Predict pathological complete response (pCR) from breast DCE-MRI, with the model's attention in the exam's own space.

Importing this package loads neither torch nor monai: they are loaded by the first prediction.
"""

__version__ = "0.2.0"
