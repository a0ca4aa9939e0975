"""Simulated exams with a known answer: anatomy, kinetics, scanners, and cohorts of them."""
