#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Plain against guided networks on a real drive, judged by the lidar of another one:
#   experiments/compare_real.sh FOLDER TRAIN_ROOT TEST_ROOT SEMANTIC
# TRAIN_ROOT and TEST_ROOT are KITTI raw folders (here drives 0095 and 0060; TEST_ROOT with proj_depth/groundtruth
# or velodyne_points), SEMANTIC the checkpoint that guides, trained on pictures like those of TRAIN_ROOT alone:
#   depth train-semantic --data TRAIN_ROOT --output FOLDER/semantic
# INITIAL_POSE=run/last.safetensors starts every run from the PoseNet of an earlier one, so that a short run is spent
# on depth. Two idle cores need about forty minutes as it stands. On a GPU with internet, as the papers start:
#   HEIGHT=192 WIDTH=640 BATCH=12 STEPS=20000 JOBS=1 THREADS=8 PRETRAINED=--pretrained experiments/compare_real.sh ...
set -euo pipefail

work=${1:?name a folder to work in} train=${2:?name the root to train on}
test=${3:?name the root with measured depth} semantic=${4:?name a semantic checkpoint}
here=$(cd "$(dirname "$0")" && pwd)
: "${HEIGHT:=96}" "${WIDTH:=320}" "${BATCH:=4}" "${STEPS:=500}" "${SEEDS:=1}" "${INITIAL_POSE:=}"
: "${JOBS:=2}" "${THREADS:=1}" "${NETWORKS:=monodepth2_resnet18 lite_hr_depth}" "${PRETRAINED:=--no_pretrained}"

train() { # network, plain or guided, seed
  local run=$work/real/$1_$2_$3 options=(--no_network.guided)
  [ "$2" = plain ] || options=(--network.guided --semantic "$semantic")
  [ -z "$INITIAL_POSE" ] || options+=(--initial_pose "$INITIAL_POSE")
  [ ! -e "$run/last.ckpt" ] || options+=(--resume)
  [ -e "$run/finished" ] || { OMP_NUM_THREADS=$THREADS depth train --data "$train" --output "$run" \
    --network.architecture "$1" --network.pose posenet --network.height "$HEIGHT" --network.width "$WIDTH" \
    --batch_size "$BATCH" --steps "$STEPS" --learning_rate 2e-4 --decay_at 0.8 --precision bf16 "$PRETRAINED" \
    --workers 0 --seed "$3" "${options[@]}" && touch "$run/finished"; }
}
export -f train
export work train semantic HEIGHT WIDTH BATCH STEPS INITIAL_POSE THREADS PRETRAINED
for seed in $SEEDS; do for network in $NETWORKS; do for kind in plain guided; do
  echo "$network $kind $seed"
done; done; done | xargs -P "$JOBS" -L 1 bash -c 'train "$@"' train

depth evaluate --checkpoint "$work"/real/*/last.safetensors --sequence "$test" --per_class --per_range \
  --json "$work/real.json" --markdown "$work/real.md"
python "$here/compare_guidance.py" "$work/real.json"
