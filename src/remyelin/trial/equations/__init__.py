"""Generalised estimating equations: averages over patients, with standard errors for few of them."""
