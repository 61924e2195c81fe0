"""Who is in the class: one roster.csv in the course's folder, filled from what a learning management system exports."""
