"""Agreement of readers or of repeated measurements: kappas, alphas, ICCs, limits of agreement."""
