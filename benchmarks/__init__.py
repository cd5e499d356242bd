"""The bench: measures the figures of docs/benchmarks.md as ratios within one run. Started by script/bench; the product never imports it."""
