#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# The focal length of a camera that nobody has calibrated, learnt on a winding simulated street from two first guesses, one
# 25 % too long and one 25 % too short (column `focal` of metrics.csv; the truth is 0.58 of the width):
#   experiments/learnt_focal.sh FOLDER
set -euo pipefail

work=${1:?name a folder to work in}
: "${STEPS:=3000}" "${BATCH:=4}" "${WIDTH:=192}" "${HEIGHT:=64}" "${DEVICE:=auto}"

[ -d "$work/street" ] || depth simulate --output "$work/street" --seed 3 --frames 300 --width 320 --height 96 \
  --curvature 1.5 --weave 1.5 --weave_length 30 --no_lead_car --traffic 0 --no_lidar
for degrees in 69.2 98; do # the true field of view is 81.5
  [ -d "$work/seen_$degrees" ] || depth record "$work/street/bag" --output "$work/seen_$degrees" --fov "$degrees" \
    --learn_intrinsics
  depth train --data "$work/seen_$degrees" --output "$work/run_$degrees" --network.learn_intrinsics --initial real \
    --network.encoder tf_efficientnet_lite0 --network.pose posenet --network.width "$WIDTH" --network.height "$HEIGHT" \
    --no_pretrained --batch_size "$BATCH" --steps "$STEPS" --pose_learning_rate 5e-4 --intrinsics_learning_rate 5e-3 \
    --workers 0 --device "$DEVICE" --resume_if_exists
  depth inspect "$work/run_$degrees/last.safetensors"
done
