"""Predict pathological complete response (pCR) from breast DCE-MRI, with the model's attention in the exam's own space.

Grow a tumour (`grow`), check an exam, write the files of a prediction (`outputs`); exam, network, child processes.

Importing this package loads neither torch nor monai: they are loaded by the first prediction.
"""

__version__ = "0.2.0"
