"""What is measured on many images: accuracy, tables, assumptions, speed; and what is kept of it."""
