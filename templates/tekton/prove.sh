#!/bin/sh
# Step "prove" of the Pipeline, and the last one of "render-smoke": renders the lane in many environments and orders,
# and ends with an error when two of them differ. What it renders is thrown away, so no image is needed.
#
# Reads, from the environment only:
#   STEP       name of the step, for the record
#   LANE       version of the lane, such as v0.1
#   WORKSPACE  directory of the workspace, with the checkout in its subdirectory "source"
# The last line of the output is a JSON record. Exit code: that of agentrun.
set -eu

: "$LANE" "$WORKSPACE"
revision=null
scratch=

finish() {
  status=failed
  if [ "$1" -eq 0 ]; then status=ok; fi
  if [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
  printf '{"event":"agentrun-ci-%s","status":"%s","lane":"%s","revision":%s,"valuesPrinted":false}\n' \
    "${STEP:-prove}" "$status" "$LANE" "$revision"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

scratch=$(mktemp -d "${TMPDIR:-/tmp}/prove.XXXXXX")
cd "$WORKSPACE/source"
revision=\"$(git rev-parse --verify HEAD)\"
TMPDIR=$scratch agentrun synth "$LANE" --prove --placeholder --lanes-dir lanes --out "$scratch/rendered"
