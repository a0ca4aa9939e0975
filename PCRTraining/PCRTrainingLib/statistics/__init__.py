"""Metrics, operating points and plots: functions on arrays."""
