"""The networks: classifiers psi, generators G and encoders."""
