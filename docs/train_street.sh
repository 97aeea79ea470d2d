#!/usr/bin/env bash
# Makes a checkpoint like the shipped one, from nothing but this repository:
#   docs/train_street.sh FOLDER
# Two otherwise idle cores need about two hours; on a GPU raise DRIVES, FRAMES and the steps.
set -euo pipefail

work=${1:?name a folder to work in}
: "${DRIVES:=22}" "${FRAMES:=75}" "${COARSE_STEPS:=2800}" "${FINE_STEPS:=350}" "${DEVICE:=auto}"

bags=()
for ((i = 1; i <= DRIVES; i++)); do
  street=$work/street/$((100 + i))
  # No car at ego speed: without resampling it would be learnt as infinitely far.
  [ -d "$street" ] || depth simulate --output "$street" --seed $((100 + i)) --frames "$FRAMES" \
    --no_lead_car --no_lidar --traffic 0.6
  bags+=("$street/bag")
done
depth record "${bags[@]}" --output "$work/recorded" --val_fraction 0.02

common=(--data "$work/recorded" --network.architecture lite_hr_depth --network.pose posenet --no_pretrained
  --workers 0 --device "$DEVICE" --save_every 50)
# Depth and motion are learnt from video at half the size, at a quarter of the cost ...
depth train "${common[@]}" --output "$work/coarse" --network.height 96 --network.width 320 \
  --batch_size 8 --steps "$COARSE_STEPS" --learning_rate 4e-4 --decay_at 0.9
# ... and the net of full size then learns from the one of half size.
depth train "${common[@]}" --output "$work/fine" --network.height 192 --network.width 640 \
  --batch_size 4 --steps "$FINE_STEPS" --learning_rate 3e-4 --decay_at 0.7 --initial "$work/coarse/last.safetensors" \
  --distillation.teacher "$work/coarse/last.safetensors" --no_distillation.photometric --pose_shrink 2

depth export "$work/fine/last.safetensors" --output "$work/lite_hr_depth_street_640x192.safetensors"
# Metres: the factor between network units and the exact depth of one training drive.
depth evaluate --checkpoint "$work/lite_hr_depth_street_640x192.safetensors" --store_scale --crop none \
  --sequence "$work/recorded"/*/*_drive_0001_sync --ground_truth_dir "$work/street/101/ground_truth"
