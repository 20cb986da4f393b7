"""Virtual patients under a protocol, written as recordings with known truth."""
