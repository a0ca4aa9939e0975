"""The response to treatment: a patient's exams at several visits, how the tumour changed, and what follows."""
