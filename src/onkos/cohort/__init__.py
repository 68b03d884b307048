"""Cases with known answers: tables, labels, splits by patient."""
