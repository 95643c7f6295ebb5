"""Codecs between bytes and values: XML, MIME, SOAP, WS-Addressing, WS-Security, koppelvlak.

No I/O, no clock, no decisions about trust: time, ids and keys come in as arguments.
"""
