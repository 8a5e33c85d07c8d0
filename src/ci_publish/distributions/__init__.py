"""What is published: finding, reading and checking distributions."""
