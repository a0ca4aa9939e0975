"""Tables of patients at several visits, of any trial: columns recognised, units told or asked about, tables joined."""
