"""The bench: measures the figures of docs/benchmarks.md. Started by script/bench; the product never imports it."""
