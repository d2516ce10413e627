"""What the recorder asks of its officer during a shift, and what it tells: statement, reasons, pauses, reports."""
