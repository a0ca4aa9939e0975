"""Response models: tables of patients at several visits, the fit and its validation, and evaluation elsewhere."""
