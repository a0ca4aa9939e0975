"""Pages as people see them: on paper."""
