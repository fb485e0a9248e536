"""What is said about accuracy: numbers from a confusion matrix, and the report that shows them. Never torch."""
