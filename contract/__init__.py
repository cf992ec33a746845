"""The words that cross a process boundary. Imports nothing of ours."""
