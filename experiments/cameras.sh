#!/bin/sh
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
#
# Other cameras than the one a network learnt from: metres as the shipped checkpoint predicts them on unseen streets,
# for each way to bring a picture into the network. About 15 minutes on two cores.
#
#   experiments/cameras.sh FOLDER [CHECKPOINT]

set -eu
work=${1:?name a folder to work in}
checkpoint=${2:-$(python -c 'from depth_node.ros.live.node import checkpoint_path as p; print(p("default"))')}
mkdir -p "$work"

while read -r name width height focal; do
  drives="" truths=""
  for seed in 311 312 313; do
    street="$work/$name-$seed" recorded="$work/$name-$seed-recorded"
    [ -d "$street" ] || depth simulate --output "$street" --seed $seed --frames 12 --rate 1.5 --no_lidar \
      --width "$width" --height "$height" --focal "$focal"
    [ -d "$recorded" ] || depth record "$street/bag" --output "$recorded"
    drives="$drives $recorded" truths="$truths $street/ground_truth"
  done
  for fit in pad crop stretch; do
    # shellcheck disable=SC2086  # lists of folders
    depth evaluate --checkpoint "$checkpoint" --sequence $drives --ground_truth_dir $truths --no_median_scaling \
      --crop none --cap 60 --fit $fit --json "$work/$name.$fit.json"
  done
done <<CAMERAS
training 640 192 0.58
50_degrees_16:9 960 540 1.072
70_degrees_4:3 640 480 0.714
90_degrees_16:9 960 540 0.5
100_degrees_4:3 800 600 0.4195
120_degrees_16:9 960 540 0.2887
50_degrees_9:16 540 960 1.072
CAMERAS
python "$(dirname "$0")/cameras.py" "$work"
