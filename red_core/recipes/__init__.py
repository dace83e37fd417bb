"""How every file in `assets/` was made: resumable, seeded, on CPU or CUDA."""
