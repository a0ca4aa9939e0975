"""Parts of the PCRPredictor panel, one a file; they need Slicer's Qt. What needs no window is in PCRPredictorLib."""
