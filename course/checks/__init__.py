"""One file an exercise; `engine` runs them. See `engine.exercise` for what an exercise holds."""
