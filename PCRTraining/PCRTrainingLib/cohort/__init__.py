"""Patients to train on: checked, cached on the model grid, split into folds, reviewed."""
