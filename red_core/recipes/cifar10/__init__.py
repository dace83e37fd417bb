"""How the files of `assets/cifar10` are made, at the scale that a machine carries."""
