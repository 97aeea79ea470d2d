#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
# Lite-HR-Depth alone against Lite-HR-Depth with HR-Depth as its teacher, with equal data, steps and seeds:
#   experiments/distill.sh FOLDER
# FOLDER holds what experiments/train_street.sh made there: standing/ and coarse/ (its pose network starts every run, so that a
# short run is spent on depth). Two idle cores need about an hour as it stands. On a GPU:
#   HEIGHT=192 WIDTH=640 BATCH=12 TEACHER_STEPS=40000 STEPS=20000 JOBS=1 THREADS=8 experiments/distill.sh FOLDER
# KINDS may add 'teacher': learning from the teacher alone. TEACHER names a checkpoint to use instead of training one.
set -euo pipefail

work=${1:?name the folder of experiments/train_street.sh}
here=$(cd "$(dirname "$0")" && pwd)
: "${HEIGHT:=96}" "${WIDTH:=320}" "${BATCH:=4}" "${STEPS:=300}" "${TEACHER_STEPS:=1500}" "${KINDS:=alone both}"
: "${SEEDS:=1 2 3}" "${TEST_SEEDS:=201 202 203 204}" "${JOBS:=2}" "${THREADS:=1}" "${RATE:=1e-3}" "${TEACHER_RATE:=2e-4}"
: "${COMPARE:=log_depth}" "${WEIGHT:=1}" "${TEACHER:=$work/distillation/hr_teacher_0/last.safetensors}"

train() { # depth command, run, steps, seed, further options
  local command=$1 run=$work/distillation/$2 steps=$3 seed=$4 resume=()
  [ ! -e "$run/last.ckpt" ] || resume=(--resume)
  [ -e "$run/done" ] || {
    OMP_NUM_THREADS=$THREADS depth "$command" --data "$work/standing" --output "$run" --network.pose posenet \
      --network.height "$HEIGHT" --network.width "$WIDTH" --batch_size "$BATCH" --steps "$steps" \
      --learning_rate "$RATE" --decay_at 0.8 --precision bf16 --no_pretrained --workers 0 --seed "$seed" \
      --initial_pose "$work/coarse/last.safetensors" "${@:5}" "${resume[@]}"
    touch "$run/done"
  }
}
student() { # alone, both or teacher; seed
  local learn=(distill "lite_$1_$2" "$STEPS" "$2" --teacher "$TEACHER" --student lite
    --distillation.compare "$COMPARE" --distillation.weight "$WEIGHT")
  case $1 in
    alone) train train "lite_$1_$2" "$STEPS" "$2" --network.architecture lite_hr_depth ;;
    both) train "${learn[@]}" ;;
    teacher) train "${learn[@]}" --teacher_only ;;
  esac
}
export -f train student
export work HEIGHT WIDTH BATCH STEPS RATE THREADS COMPARE WEIGHT TEACHER

[ -e "$TEACHER" ] || RATE=$TEACHER_RATE train train hr_teacher_0 "$TEACHER_STEPS" 0 \
  --network.architecture hr_depth_resnet18
for seed in $SEEDS; do for kind in $KINDS; do
  echo "$kind $seed"
done; done | xargs -P "$JOBS" -L 1 bash -c 'student "$@"' student

sequences=() truths=()
for seed in $TEST_SEEDS; do
  street=$work/test/$seed recorded=$work/test/rec_$seed lead=()
  ((seed == 202)) && lead=(--no_lead_car)
  [ -d "$street" ] || depth simulate --output "$street" --seed "$seed" --frames 40 --no_lidar "${lead[@]}"
  [ -d "$recorded" ] || depth record "$street/bag" --output "$recorded"
  sequences+=("$recorded") truths+=("$street/ground_truth")
done
depth evaluate --checkpoint "$TEACHER" "$work"/distillation/lite_*/last.safetensors --sequence "${sequences[@]}" \
  --ground_truth_dir "${truths[@]}" --every 2 --json "$work/distillation.json"
python "$here/distill.py" "$work/distillation.json"
