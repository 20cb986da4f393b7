"""Crossover trials: two treatments, two periods, two eyes."""
