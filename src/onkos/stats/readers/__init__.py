"""Reader studies: several readers, several modalities, the same cases (MRMC).

``ratings`` and ``assembly`` build a :class:`~onkos.stats.readers.ratings.ReaderStudy`; ``foms``,
``localisation`` and ``fitting`` hold the figures of merit; ``covariance`` their errors;
``obuchowski_rockette``, ``dbm``, ``ustatistics``, ``splitplot`` and ``standalone`` the analyses;
``reading_time`` compares times; ``sizing`` plans the next study; ``analysis`` runs what fits.
"""
