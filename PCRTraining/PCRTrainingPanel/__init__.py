"""Parts of the PCRTraining panel, one a file; they need Slicer's Qt. What needs no window is in PCRTrainingLib."""
