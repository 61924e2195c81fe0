"""What goes out: grades into nbgrader's gradebook, tables for people."""
