"""Recordings to measurements: BIDS dataset, registration, MTR, lesions."""
