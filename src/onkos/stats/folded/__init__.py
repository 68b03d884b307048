"""Ranking judged within the folds of a cross-validation, where one model scored all cases."""
