"""What training reads: triplets of frames, labelled pictures, augmentation, cache."""
