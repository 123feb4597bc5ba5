"""Are the printed numbers the numbers found on fresh data? Issue 4, point 7; `python -m benchmarks.honesty`."""
