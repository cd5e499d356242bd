"""Notes and highlights of a recording, and the title that it is given afterwards."""
