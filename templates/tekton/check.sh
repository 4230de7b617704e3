#!/bin/sh
# Step "check" of the Pipeline: checks the lane that the step "clone" checked out, and what it renders to.
#
# Reads, from the environment only:
#   STEP       name of the step, for the record
#   LANE       version of the lane, such as v0.1
#   WORKSPACE  directory of the workspace, with the checkout in its subdirectory "source"
# The last line of the output is a JSON record. Exit code: that of agentrun.
set -eu

: "$LANE" "$WORKSPACE"
revision=null

finish() {
  status=failed
  if [ "$1" -eq 0 ]; then status=ok; fi
  printf '{"event":"agentrun-ci-%s","status":"%s","lane":"%s","revision":%s,"valuesPrinted":false}\n' \
    "${STEP:-check}" "$status" "$LANE" "$revision"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$WORKSPACE/source"
revision=\"$(git rev-parse --verify HEAD)\"
agentrun check "$LANE" --lanes-dir lanes --format text
