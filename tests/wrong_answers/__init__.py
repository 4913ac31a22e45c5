"""Plausible wrong answers to each chapter's exercises; every one must fail its check."""
