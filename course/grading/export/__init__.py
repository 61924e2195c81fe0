"""What goes back to a learning management system: grades as its import takes them, and feedback as it takes that."""
