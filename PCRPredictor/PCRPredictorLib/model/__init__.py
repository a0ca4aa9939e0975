"""From an exam to a prediction: the model grid, the bundle, and the predictor."""
