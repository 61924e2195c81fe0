"""The command `course report UNIT`: one page on a class, for the instructor alone. It reads what grading has left, and grades nothing."""
