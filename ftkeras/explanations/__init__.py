"""Explanations: what each token or word of a text contributes to a model's answer."""
