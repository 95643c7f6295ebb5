"""Measuring a gateway from outside, beside the limit of the machine, in one run."""
