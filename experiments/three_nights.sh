#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Three nights in a town and with a camera that the checkpoint does not know, and one poisoned night:
#   experiments/three_nights.sh FOLDER
# After each night the present checkpoint is measured on streets of the same town that no night has seen. The start is a small
# network after a short pretraining, so that short nights have something to add. One idle core needs about an hour as it stands.
# On a GPU: START=real FRAMES=600 STEPS=3000 BATCH=12 experiments/three_nights.sh FOLDER
set -euo pipefail

work=${1:?name a folder}
: "${START:=$work/start/last.safetensors}" "${FRAMES:=125}" "${STEPS:=300}" "${BATCH:=6}" "${RATE:=2e-4}" "${WORKERS:=1}"
camera=(--camera_height 1.2 --focal 0.7 --workers "$WORKERS" --no_lead_car)

street() { # name, seed, frames, further options
  [ -d "$work/street/$1" ] ||
    depth simulate --output "$work/street/$1" --seed "$2" --frames "$3" --no_lidar "${camera[@]}" "${@:4}"
}
measure() { # name, checkpoint
  depth evaluate --checkpoint "$2" --sequence "$work"/rec/test_* --ground_truth_dir \
    "$work"/street/test_*/ground_truth --every 2 --json "$work/after_$1.json"
}
for seed in 411 412; do
  street "test_$seed" "$seed" 30
  [ -d "$work/rec/test_$seed" ] || depth record "$work/street/test_$seed/bag" --output "$work/rec/test_$seed"
done
[ -e "$START" ] || depth pretrain --output "$work/start" --network.width 192 --network.height 64 --steps 100 --batch_size 8 \
  --network.encoder tf_efficientnet_lite0 --network.pose posenet --worlds.frames 8 --worlds.streets 14 --worlds.start 64 \
  --val_streets 1 --worlds.workers "$WORKERS"
present=$START older=()
measure start "$present"
night() { # name, seed, further options of the street
  street "$1" "$2" "$FRAMES" "${@:3}"
  local more=()
  [ ${#older[@]} -eq 0 ] || more=(--older "${older[@]}")
  depth improve "$work/street/$1/bag" --from "$present" --output "$work/night/$1" "${more[@]}" \
    --steps "$STEPS" --batch_size "$BATCH" --learning_rate "$RATE" --workers 0 --no_pretrained --record.format jpg \
    --pose_first "${POSE_FIRST:-100}" || echo "exit status $?"
  if [ -e "$work/night/$1/promoted.safetensors" ]; then
    present=$work/night/$1/promoted.safetensors
  fi
  [ ! -e "$work/night/$1/promoted.safetensors" ] || older+=("$work/night/$1/recorded")
  measure "$1" "$present"
}
night monday 401
night tuesday 402
night poisoned 404 --focal 0.95
night wednesday 403
