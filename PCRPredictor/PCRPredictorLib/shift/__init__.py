"""How the patients of a cohort differ from those that a model was trained on, and what that does to its decisions."""
