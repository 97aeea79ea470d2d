#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Two-stage training on the simulated street, with a car ahead that keeps its distance in half of the drives:
#   experiments/two_stage.sh FOLDER
# FOLDER gets street/ (drives behind a lead car, drives without), recorded/, still/ (the network that every stage starts
# from), two_stage/SEED/{stage1,resampled,stage2} and two_stage.json. What exists is not made again.
# As it stands it is made for two CPU cores (some three hours): pictures of 320x96, and short stages that start from a
# network of drives in which nothing moves. Auto-masking (--no_loss.auto_mask here) hides pixels that do not change, most
# of a car ahead among them: a short stage 1 goes to infinity only without it. On a GPU, from nothing:
#   HEIGHT=192 WIDTH=640 BATCH=12 STEPS=20000 STILL_STEPS=0 JOBS=1 THREADS=8 experiments/two_stage.sh FOLDER
set -euo pipefail

work=${1:?name a folder to work in}
here=$(cd "$(dirname "$0")" && pwd)
: "${HEIGHT:=96}" "${WIDTH:=320}" "${BATCH:=4}" "${STEPS:=1000}" "${STILL_STEPS:=4000}" "${SEEDS:=1 2 3}"
: "${JOBS:=2}" "${THREADS:=1}" "${NETWORK:=lite_hr_depth}" "${RATE:=4e-4}" "${FRAMES:=75}" "${OPTIONS:=--no_loss.auto_mask}"
: "${STILL_SEEDS:=309 310 311 312 313 314 315 316 317 318 319 320}"
: "${LEAD_SEEDS:=411 412 413 414 415 416 417 418 419 420}"
: "${TEST_SEEDS:=201 202 203 204}" "${TEST_LEAD_SEEDS:=221 222 223}" "${INITIAL:=}"

simulate() { # folder, seed, frames, more
  local folder=$1 seed=$2 frames=$3
  shift 3
  [ -d "$folder" ] || depth simulate --output "$folder" --seed "$seed" --frames "$frames" --no_lidar "$@"
}
for seed in $STILL_SEEDS; do
  simulate "$work/street/$seed" "$seed" "$FRAMES" --no_lead_car --traffic 0 --parked 0.9 \
    --pedestrians 0.6 --speed $((7 + seed % 6))
done
for seed in $LEAD_SEEDS; do
  half_metres=$((16 + (seed + 9) % 10)) # 8 to 12.5 m
  simulate "$work/street/$seed" "$seed" "$FRAMES" --traffic 0.3 --lead_gap $((half_metres / 2)).$((half_metres % 2 * 5))
done
bags() { for seed in "$@"; do echo "$work/street/$seed/bag"; done; }
# shellcheck disable=SC2046
{
  [ -d "$work/still_recorded" ] || depth record $(bags $STILL_SEEDS) --output "$work/still_recorded"
  [ -d "$work/recorded" ] || depth record $(bags $STILL_SEEDS $LEAD_SEEDS) --output "$work/recorded"
}

shared=(--network.architecture "$NETWORK" --network.pose posenet --network.height "$HEIGHT" --network.width "$WIDTH"
  --batch_size "$BATCH" --learning_rate "$RATE" --decay_at 0.8 --precision bf16 --no_pretrained --workers 0)
if [ -z "$INITIAL" ] && ((STILL_STEPS > 0)); then
  INITIAL=$work/still/last.safetensors
  [ -e "$work/still/done" ] || { OMP_NUM_THREADS=$THREADS depth train --data "$work/still_recorded" \
    --output "$work/still" --steps "$STILL_STEPS" --resume_if_exists "${shared[@]}"; touch "$work/still/done"; }
fi

two_stages() { # seed
  local initial=()
  [ -z "$INITIAL" ] || initial=(--initial "$INITIAL")
  # shellcheck disable=SC2086
  OMP_NUM_THREADS=$THREADS depth train --two-stage --data "$work/recorded" --output "$work/two_stage/$1" \
    --steps "$STEPS" --seed "$1" --resume_if_exists "${initial[@]}" $SHARED $OPTIONS
}
export -f two_stages
export work STEPS THREADS INITIAL OPTIONS SHARED="${shared[*]}"
# shellcheck disable=SC2086
printf '%s\n' $SEEDS | xargs -P "$JOBS" -I SEED bash -c 'two_stages SEED'

sequences=() truths=() checkpoints=() resampled=()
for seed in $TEST_SEEDS $TEST_LEAD_SEEDS; do
  street=$work/test/$seed recorded=$work/test/rec_$seed frames=40 options=()
  ((seed == 202)) && options=(--no_lead_car)
  [[ " $TEST_LEAD_SEEDS " != *" $seed "* ]] || frames=30 options=(--traffic 0.3 --lead_gap $((seed - 212)))
  simulate "$street" "$seed" "$frames" "${options[@]}"
  [ -d "$recorded" ] || depth record "$street/bag" --output "$recorded"
  sequences+=("$recorded") truths+=("$street/ground_truth")
done
for seed in $SEEDS; do
  checkpoints+=("$work/two_stage/$seed/stage1/last.safetensors" "$work/two_stage/$seed/stage2/last.safetensors")
  resampled+=("$work/two_stage/$seed/resampled")
done
depth evaluate --checkpoint "${checkpoints[@]}" --sequence "${sequences[@]}" --ground_truth_dir "${truths[@]}" \
  --every 2 --per_class --json "$work/two_stage.json" --pictures "$work/two_stage_pictures"
python "$here/two_stage.py" "$work/two_stage.json" "${resampled[@]}"
# shellcheck disable=SC2086
python "$here/two_stage_picture.py" "$work/two_stage.png" "${checkpoints[@]:0:2}" "$work/test" $TEST_LEAD_SEEDS
