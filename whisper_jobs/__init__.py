"""The transcription queue: jobs, steps, lanes, and everything that turns a recording into a transcript."""
