"""Plain functions and field classes that rooms share; no models."""
