"""The player of a recording and the transcript that goes along with it."""
