"""The core: lifecycle, schedule, queries, intake."""
