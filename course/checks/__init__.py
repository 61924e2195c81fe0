"""The engine of the checks: cases go in, are played with an answer, and are judged. It keeps no progress and prints nothing."""
