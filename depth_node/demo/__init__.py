"""The demonstration: the whole live chain on a simulated street, in separate processes over real DDS."""
