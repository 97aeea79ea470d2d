#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# The shipped checkpoint `real`: exact depth of random streets at half size, and trained on at full size, where it was worse
# on real pictures (docs/results.md); both judged by real lidar.
#   experiments/real_weights.sh FOLDER [SEQUENCE ...]
# SEQUENCE: KITTI-style drives with lidar or depth pictures that nothing was trained on. Two cores of an idle machine need
# about two hours. Larger, on a GPU:
#   STEPS=20000 LARGE_STEPS=10000 BATCH=32 LARGE_BATCH=16 STREETS=2000 experiments/real_weights.sh FOLDER ...
set -euo pipefail

work=${1:?name a folder to work in}
shift
: "${STEPS:=2000}" "${LARGE_STEPS:=700}" "${BATCH:=8}" "${LARGE_BATCH:=4}" "${STREETS:=180}" "${DEVICE:=auto}"

common=(--network.architecture lite_hr_depth --network.encoder tf_efficientnet_lite0 --streets "$work/streets"
  --worlds.frames 8 --worlds.streets "$STREETS" --ema 0.995 --device "$DEVICE" --resume_if_exists)
depth pretrain "${common[@]}" --output "$work/half" --network.width 320 --network.height 96 --steps "$STEPS" \
  --batch_size "$BATCH" --worlds.start 360 --worlds.per_step 0.18
depth pretrain "${common[@]}" --output "$work/full" --initial "$work/half/best.safetensors" --steps "$LARGE_STEPS" \
  --batch_size "$LARGE_BATCH" --worlds.start 600 --worlds.per_step 0.4 --learning_rate 4e-4 --encoder_rate 1e-4

for sequence in "$@"; do
  depth evaluate --checkpoint real default "$work/half/best.safetensors" "$work/full/best.safetensors" \
    --sequence "$sequence" --pictures "$work/pictures/$(basename "$sequence")"
done
