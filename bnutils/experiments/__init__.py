"""Experiments that several places share: a chapter, the command that records them, a figure.

What only one chapter needs stands in that chapter. Each file holds one experiment.
"""
