"""What a camera gives: encodings, calibration, rectification, network input. Used live, by recorder and training."""
