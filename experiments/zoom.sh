#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# What --loss.zoom is worth on another camera than the one that was learnt from, with equal data, steps and seeds:
#   START=CHECKPOINT experiments/zoom.sh FOLDER
# FOLDER holds what experiments/labels.sh made there (train/); START is a checkpoint with a pose network, such as one of its runs.
# On a GPU: HEIGHT=192 WIDTH=640 BATCH=12 STEPS=20000, from a checkpoint of that size.
set -euo pipefail

work=${1:?name the folder of experiments/labels.sh}
: "${START:?name a checkpoint with a pose network}" "${HEIGHT:=64}" "${WIDTH:=192}" "${BATCH:=4}" "${STEPS:=250}"
: "${RATE:=3e-4}" "${WEIGHT:=0.2}" "${SEEDS:=1 2 3}" "${FOCALS:=0.58 1.0}" "${WORKERS:=1}"

for seed in $SEEDS; do for weight in 0 "$WEIGHT"; do
  depth train --data "$work/train" --output "$work/zoom/w${weight}_$seed" --initial "$START" --network.pose posenet \
    --network.height "$HEIGHT" --network.width "$WIDTH" --batch_size "$BATCH" --steps "$STEPS" --learning_rate "$RATE" \
    --no_pretrained --workers 0 --seed "$seed" --loss.zoom "$weight" --resume_if_exists
done; done
for focal in $FOCALS; do
  street=$work/street/focal_$focal
  [ -d "$work/rec/focal_$focal" ] || {
    depth simulate --output "$street" --seed 203 --frames 40 --no_lidar --no_lead_car --focal "$focal" --workers "$WORKERS"
    depth record "$street/bag" --output "$work/rec/focal_$focal" --format jpg
  }
  depth evaluate --checkpoint "$START" "$work"/zoom/*/last.safetensors --sequence "$work/rec/focal_$focal" \
    --ground_truth_dir "$street/ground_truth" --every 2 --json "$work/zoom_$focal.json"
done
