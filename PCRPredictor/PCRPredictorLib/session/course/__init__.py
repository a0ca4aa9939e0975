"""The visits of the patient on the table: chosen, measured, predicted, shown beside each other."""
