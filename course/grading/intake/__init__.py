"""What comes in: which folders are submissions, what is in them, and what the gradebook knows of the unit."""
