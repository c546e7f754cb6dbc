"""How fast SubiteYa is: ratios and growth, measured side by side in one run. `make bench` runs all of it."""
