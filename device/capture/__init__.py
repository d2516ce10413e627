"""From packets and samples to fragments: overlay, encoders, muxer, pre-event ring."""
