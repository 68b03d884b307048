"""How far readers, or repeated measurements, agree: kappas, alphas, ICCs, limits of agreement."""
