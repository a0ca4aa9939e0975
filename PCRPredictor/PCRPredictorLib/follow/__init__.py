"""A follow-up in words, pictures and files: how the tumour changed over the visits, and the probability after each."""
