"""Measurements to treatment effect: endpoints, estimators, results."""
