"""The learner's door: checks, hints, quizzes, and what is remembered of them between visits."""
