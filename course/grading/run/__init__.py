"""Running notebooks and judging what comes out, on this machine or on a cluster, and remembering it."""
