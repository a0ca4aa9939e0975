"""Train, evaluate and simulate: what training adds to PCRPredictorLib, which it imports and never the reverse."""
