#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Lite-HR-Depth from video alone against video and a teacher's labels on disk, with equal data, steps and seeds:
#   experiments/labels.sh FOLDER
# One idle core needs about half an hour as it stands. On a GPU:
#   HEIGHT=192 WIDTH=640 BATCH=12 STEPS=20000 STREETS="$(seq 301 340)" experiments/labels.sh FOLDER
# TEACHER names any teacher that `depth distill` takes, such as hf:MODEL.
set -euo pipefail

work=${1:?name a folder}
: "${HEIGHT:=96}" "${WIDTH:=320}" "${BATCH:=4}" "${STEPS:=300}" "${RATE:=1e-3}" "${TEACHER:=default}" "${WORKERS:=1}"
: "${STREETS:=301 302 303 304 305 306}" "${TEST_STREETS:=201 202 203 204}" "${SEEDS:=1 2 3}" "${FRAMES:=50}"

street() { # seed, frames, further options
  [ -d "$work/rec/$1" ] || {
    depth simulate --output "$work/street/$1" --seed "$1" --frames "$2" --no_lidar --workers "$WORKERS" "${@:3}"
    depth record "$work/street/$1/bag" --output "$work/rec/$1" --format jpg
  }
}
for seed in $STREETS; do street "$seed" "$FRAMES" --no_lead_car; done
for seed in $TEST_STREETS; do street "$seed" 30; done
mkdir -p "$work/train"
for seed in $STREETS; do
  for drive in "$work/rec/$seed"/*/*_sync; do
    day=$(basename "$(dirname "$drive")")_$seed
    mkdir -p "$work/train/$day"
    ln -sfn "$(realpath "$drive")" "$work/train/$day/$(basename "$drive")"
    cp "$(dirname "$drive")"/calib_*.txt "$work/train/$day/"
  done
done
for seed in $SEEDS; do
  how=(--network.pose posenet --network.height "$HEIGHT" --network.width "$WIDTH" --batch_size "$BATCH"
    --steps "$STEPS" --learning_rate "$RATE" --no_pretrained --workers 0 --seed "$seed" --data "$work/train"
    --resume_if_exists)
  depth train "${how[@]}" --network.architecture lite_hr_depth --output "$work/run/alone_$seed"
  depth distill "${how[@]}" --teacher "$TEACHER" --labels "$work/labels" --output "$work/run/labels_$seed"
done
sequences=() truths=()
for seed in $TEST_STREETS; do sequences+=("$work/rec/$seed") truths+=("$work/street/$seed/ground_truth"); done
depth evaluate --checkpoint "$work"/run/*/last.safetensors --sequence "${sequences[@]}" \
  --ground_truth_dir "${truths[@]}" --every 2 --json "$work/labels.json"
