"""Simulated patients with true physics and true answers; every one says that it is a phantom."""
