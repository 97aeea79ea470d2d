#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Three nights in a town and with a camera that the checkpoint does not know, and one poisoned night:
#   START=CHECKPOINT experiments/three_nights.sh FOLDER
# START needs a pose network: short nights have no time to learn one. A run of experiments/labels.sh will do. After each
# night the present checkpoint is measured on streets of the same town that no night has seen. One idle core needs about
# a quarter of an hour at 192x64. On a GPU: FRAMES=600 STEPS=3000 BATCH=12, from a checkpoint at 640x192.
set -euo pipefail

work=${1:?name a folder}
: "${START:?name a checkpoint with a pose network}" "${FRAMES:=125}" "${STEPS:=300}" "${BATCH:=6}" "${RATE:=5e-4}" "${WORKERS:=1}"
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
present=$START older=()
measure start "$present"
night() { # name, seed, further options of the street
  street "$1" "$2" "$FRAMES" "${@:3}"
  local more=()
  [ ${#older[@]} -eq 0 ] || more=(--older "${older[@]}")
  depth improve "$work/street/$1/bag" --from "$present" --output "$work/night/$1" "${more[@]}" \
    --steps "$STEPS" --batch_size "$BATCH" --learning_rate "$RATE" --workers 0 --no_pretrained \
    --record.format jpg || echo "exit status $?"
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
