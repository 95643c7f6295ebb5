"""Export of the proof of one message, and its verification offline."""
