"""Train and evaluate models: configuration, guidance losses, run folder. Imports PCRPredictorLib, never the reverse."""
