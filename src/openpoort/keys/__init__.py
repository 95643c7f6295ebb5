"""Keys and evidence that live outside the program: PEM files, PKCS#11, fetched CRL and OCSP."""
