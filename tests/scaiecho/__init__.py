"""The speech API under /v1/modules/scaiecho/."""
