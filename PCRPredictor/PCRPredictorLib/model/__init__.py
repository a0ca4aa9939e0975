"""From an exam to a prediction: the model grid, the bundle, the predictor and its warnings."""
