"""The speech API that is published under /v1/modules/scaiecho/: files, live sessions, speakers, and what a tenant allows."""
