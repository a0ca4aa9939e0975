"""Models on cohorts: metrics with intervals, baselines, the report, and the model card."""
