"""The interface of companies: SOAP 1.1, WS-Addressing and koppelvlakservices 1.2."""
