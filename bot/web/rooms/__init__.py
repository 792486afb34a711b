"""The rooms of the staff page, one module each."""
