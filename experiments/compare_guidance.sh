#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Guided against plain networks on the simulated street, with equal data, steps and seeds:
#   experiments/compare_guidance.sh FOLDER
# FOLDER holds what experiments/train_street.sh made there: street/, recorded/ and coarse/ (its pose network starts every run,
# so that a short run is spent on depth). Two idle cores need about an hour and a half as it stands. On a GPU:
#   HEIGHT=192 WIDTH=640 BATCH=12 STEPS=20000 JOBS=1 THREADS=8 experiments/compare_guidance.sh FOLDER
set -euo pipefail

work=${1:?name the folder of experiments/train_street.sh}
here=$(cd "$(dirname "$0")" && pwd)
: "${HEIGHT:=96}" "${WIDTH:=320}" "${BATCH:=4}" "${STEPS:=500}" "${SEEDS:=1 2 3}" "${TEST_SEEDS:=201 202 203 204}"
: "${JOBS:=2}" "${THREADS:=1}" "${NETWORKS:=monodepth2_resnet18 hr_depth_resnet18}"

# The semantic network learns from the exact labels of the training streets, never from the test streets.
[ -e "$work/semantic/best.safetensors" ] || depth train-semantic --output "$work/semantic" \
  --data "$work/recorded" --ground_truth_dir "$work/street" \
  --network.encoder tu-lcnet_075 --network.pyramid_channels 64 --network.segmentation_channels 32 --no_pretrained \
  --smallest 0.45 --largest 1.1 --steps 2400 --learning_rate 2e-3 --pixels 12288 --class_weights log --val_fraction 0.03

train() { # network, plain or guided, seed
  local run=$work/guidance/$1_$2_$3 options=(--no_network.guided)
  [ "$2" = plain ] || options=(--network.guided --semantic "$work/semantic/best.safetensors")
  [ -e "$run/done" ] || { OMP_NUM_THREADS=$THREADS depth train --data "$work/recorded" --output "$run" \
    --network.architecture "$1" --network.pose posenet --network.height "$HEIGHT" --network.width "$WIDTH" \
    --batch_size "$BATCH" --steps "$STEPS" --learning_rate 2e-4 --decay_at 0.8 --precision bf16 --no_pretrained \
    --workers 0 --seed "$3" --initial_pose "$work/coarse/last.safetensors" "${options[@]}" \
    --resume_if_exists && touch "$run/done"; }
}
export -f train
export work HEIGHT WIDTH BATCH STEPS THREADS
for seed in $SEEDS; do for network in $NETWORKS; do for kind in plain guided; do
  echo "$network $kind $seed"
done; done; done | xargs -P "$JOBS" -L 1 bash -c 'train "$@"' train

sequences=() truths=()
for seed in $TEST_SEEDS; do
  street=$work/test/$seed recorded=$work/test/rec_$seed lead=()
  ((seed == 202)) && lead=(--no_lead_car)
  [ -d "$street" ] || depth simulate --output "$street" --seed "$seed" --frames 40 --no_lidar "${lead[@]}"
  [ -d "$recorded" ] || depth record "$street/bag" --output "$recorded"
  sequences+=("$recorded") truths+=("$street/ground_truth")
done
depth evaluate --checkpoint "$work"/guidance/*/last.safetensors --sequence "${sequences[@]}" \
  --ground_truth_dir "${truths[@]}" --every 2 --json "$work/guidance.json"
python "$here/compare_guidance.py" "$work/guidance.json"
