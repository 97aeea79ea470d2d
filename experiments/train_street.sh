#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Makes a checkpoint like the shipped one, from nothing but this repository:
#   experiments/train_street.sh FOLDER
# Two otherwise idle cores need about eight hours; on a GPU raise DRIVES, FRAMES and the steps.
set -euo pipefail

work=${1:?name a folder to work in}
: "${DRIVES:=22}" "${FRAMES:=75}" "${SEMANTIC_STEPS:=2400}" "${DEVICE:=auto}"
: "${COARSE_STEPS:=2800}" "${GUIDED_STEPS:=300}" "${FINE_STEPS:=350}" "${STANDING_STEPS:=480}" "${STOOD_STEPS:=2200}"
: "${SWAYING_STEPS:=300}" "${LAST_STEPS:=1640}"

bags=() truths=()
for ((i = 1; i <= DRIVES; i++)); do
  street=$work/street/$((100 + i))
  # No car at ego speed: without resampling it would be learnt as infinitely far.
  [ -d "$street" ] || depth simulate --output "$street" --seed $((100 + i)) --frames "$FRAMES" \
    --no_lead_car --no_lidar --traffic 0.6
  bags+=("$street/bag") truths+=("$street/ground_truth")
done
depth record "${bags[@]}" --output "$work/recorded" --val_fraction 0.02

# The semantic network, at mixed sizes, so that it serves both sizes of the depth network.
depth train-semantic --data "$work/recorded" --ground_truth_dir "${truths[@]}" --output "$work/semantic" \
  --network.encoder tu-lcnet_075 --network.pyramid_channels 64 --network.segmentation_channels 32 --no_pretrained \
  --smallest 0.45 --largest 1.1 --batch_size 8 --steps "$SEMANTIC_STEPS" --learning_rate 2e-3 --decay cosine \
  --pixels 12288 --class_weights log --val_fraction 0.03 --device "$DEVICE"

common=(--data "$work/recorded" --network.architecture lite_hr_depth --network.pose posenet --no_pretrained
  --workers 0 --device "$DEVICE" --save_every 50)
half=(--network.height 96 --network.width 320) whole=(--network.height 192 --network.width 640)
guided=(--network.guided --semantic "$work/semantic/best.safetensors")
# Depth and motion are learnt from video at half the size, at a quarter of the cost, first without guidance ...
depth train "${common[@]}" --output "$work/coarse" "${half[@]}" --batch_size 8 --steps "$COARSE_STEPS" \
  --learning_rate 4e-4 --decay_at 0.9
depth train "${common[@]}" --output "$work/guided" "${half[@]}" "${guided[@]}" --batch_size 4 --steps "$GUIDED_STEPS" \
  --learning_rate 2e-4 --decay_at 0.7 --initial "$work/coarse/last.safetensors"
# ... and the net of full size then learns from the one of half size.
depth train "${common[@]}" --output "$work/fine" "${whole[@]}" "${guided[@]}" --batch_size 4 --steps "$FINE_STEPS" \
  --learning_rate 3e-4 --decay_at 0.7 --initial "$work/guided/last.safetensors" \
  --distillation.teacher "$work/guided/last.safetensors" --no_distillation.photometric

# Moving cars have taught wrong depth so far. Streets where cars only park and queue, also in the own lane, put it right.
standing=()
for ((i = 1; i <= 56; i++)); do
  street=$work/street/$((i <= 40 ? 300 + i : 460 + i)) queue=(--frames 75 --parked 0.9)
  ((i <= 40)) || queue=(--frames 50 --parked 0.7 --queue 0.6 --speed $((5 + i % 4)))
  [ -d "$street" ] || depth simulate --output "$street" --seed "$(basename "$street")" --no_lead_car --no_lidar \
    --traffic 0 --pedestrians 0.6 "${queue[@]}"
  standing+=("$street/bag")
done
depth record "${standing[@]}" --output "$work/standing" --val_fraction 0.02
common=(--data "$work/standing" "${common[@]:2}" --precision bf16)
depth train "${common[@]}" --output "$work/pose" "${half[@]}" --batch_size 8 --steps "$STANDING_STEPS" \
  --learning_rate 3e-4 --decay_at 0.8 --initial "$work/coarse/last.safetensors"
depth train "${common[@]}" --output "$work/stood" "${whole[@]}" "${guided[@]}" --batch_size 3 --steps "$STOOD_STEPS" \
  --learning_rate 2e-4 --decay_at 0.8 --ema 0.99 --pose_shrink 2 --initial "$work/fine/last.safetensors" \
  --initial_pose "$work/pose/last.safetensors"

# Straight behind a car hardly anything moves in the picture, so that the upper half of vans ahead was still learnt as
# far. Who sways behind a queue sees it from the side as well: short drives up to queues, 23 of them headed by a van.
swaying=()
for seed in {601..628} 70{1..3} 70{6,8,9} 71{0,1,3,5,6,7} 726 734 739 743 747 754 774 800 807 819 840 843 845 851 852 860 876 \
  881 889; do
  street=$work/street/$seed way=(--frames 36 --parked 0.6 --speed 5 --curvature 0.5 --weave 1 --weave_length 25)
  ((seed > 700)) || way=(--frames 24 --parked 0.5 --speed $((5 + seed % 4)))
  [ -d "$street" ] || depth simulate --output "$street" --seed "$seed" --no_lead_car --no_lidar \
    --traffic 0 --pedestrians 0.6 --queue 0.7 "${way[@]}"
  swaying+=("$street/bag")
done
depth record "${standing[@]}" "${swaying[@]}" --output "$work/swaying" --val_fraction 0.01
split=$work/swaying/splits/train_files.txt
# The drives of seeds from 701 on, the last 31 of 115, count three times.
awk 'match($1, /drive_[0-9]+/) && substr($1, RSTART + 6, 4) + 0 > 84 { print; print }' "$split" > "$work/again.txt"
cat "$work/again.txt" >> "$split"
common=(--data "$work/swaying" "${common[@]:2}")
depth train "${common[@]}" --output "$work/pose_swaying" "${half[@]}" --batch_size 4 --steps "$SWAYING_STEPS" \
  --learning_rate 3e-4 --decay_at 0.7 --initial "$work/pose/last.safetensors" --initial_pose "$work/stood/last.safetensors"
depth train "${common[@]}" --output "$work/last" "${whole[@]}" "${guided[@]}" --batch_size 3 --steps "$LAST_STEPS" \
  --learning_rate 2e-4 --decay_at 1 --ema 0.998 --pose_shrink 2 --initial "$work/stood/last.safetensors" \
  --initial_pose "$work/pose_swaying/last.safetensors"

weights=$work/guided_lite_hr_depth_street_640x192.safetensors
depth export "$work/last/last.safetensors" --output "$weights" --half
# Metres: the factor between network units and exact depth, over drives of every kind.
depth evaluate --checkpoint "$weights" --store_scale --every 10 \
  --sequence "$work/recorded"/*/*_drive_000[1-4]_sync "$work/swaying"/*/*_drive_{000[1-4],004[1-6],008[5-9],0090}_sync \
  --ground_truth_dir "$work"/street/{101,102,103,104,301,302,303,304,501,502,503,504,505,506,701,702,703,706,708,709}/ground_truth
