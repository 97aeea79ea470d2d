#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Metres from nothing but the camera's height: go on training the shipped network on quiet simulated streets with
# --loss.camera_height, then compare metres as predicted with median-scaled depth on streets it has not seen:
#   experiments/camera_height.sh FOLDER
# One core of an idle machine needs about an hour; on a GPU raise STEPS and BATCH.
set -euo pipefail

work=${1:?name a folder to work in}
here=$(cd "$(dirname "$0")/.." && pwd)
: "${STEPS:=700}" "${BATCH:=3}" "${POSE_STEPS:=600}" "${DEVICE:=auto}"
shipped=$here/depth_node/weights/guided_lite_hr_depth_street_640x192.safetensors

street() { # seed, frames, flags ...
  [ -d "$work/street/$1" ] || depth simulate --output "$work/street/$1" --seed "$1" --frames "$2" --no_lidar "${@:3}"
}
quiet=(--no_lead_car --traffic 0 --parked 0.7)
for seed in 411 412 413 414 415 416; do street $seed 40 "${quiet[@]}"; done
for seed in 421 422 423; do street $seed 24 "${quiet[@]}"; done
for seed in 201 202 203 204; do street $seed 60; done
[ -d "$work/recorded" ] || depth record "$work"/street/41[1-6]/bag --output "$work/recorded" --val_fraction 0.05

common=(--data "$work/recorded" --network.architecture lite_hr_depth --network.guided --network.pose posenet
  --no_pretrained --workers 0 --device "$DEVICE" --save_every 50 --resume_if_exists --pose_shrink 2)
# The shipped file has no pose network: let one learn how the camera moves while depth hardly changes ...
depth train "${common[@]}" --output "$work/pose" --batch_size 2 --steps "$POSE_STEPS" --learning_rate 1e-6 \
  --pose_learning_rate 3e-4 --decay_at 0.8 --initial "$shipped"
# ... then depth learns too, with the road at one height.
depth train "${common[@]}" --output "$work/metres" --batch_size "$BATCH" --steps "$STEPS" --learning_rate 1e-4 \
  --decay_at 0.8 --ema 0.99 --initial "$work/pose/last.safetensors" --initial_pose "$work/pose/last.safetensors" \
  --loss.camera_height 0.1 --camera_height 1.65

for group in "421 422 423" "201 202 203 204"; do
  sequences=() truths=()
  for seed in $group; do
    [ -d "$work/seen/$seed" ] || depth record "$work/street/$seed/bag" --output "$work/seen/$seed"
    sequences+=("$work/seen/$seed") truths+=("$work/street/$seed/ground_truth")
  done
  for scaling in --median_scaling --no_median_scaling; do
    depth evaluate --checkpoint "$work/metres/last.safetensors" "$shipped" --sequence "${sequences[@]}" \
      --ground_truth_dir "${truths[@]}" --every 3 "$scaling"
  done
done
