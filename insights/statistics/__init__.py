"""Arithmetic of the reports: counts in, numbers out. No Django, no database, no clock.

docs/statistics.md says which method answers which question, and why.
"""
