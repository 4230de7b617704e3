#!/bin/sh
# Step "publish" of the Pipeline: renders the lane that was checked out, and pushes its files to the GitOps branch.
#
# Reads, from the environment only:
#   STEP           name of the step, for the record
#   LANE           version of the lane, such as v0.1
#   WORKSPACE      directory of the workspace, with the checkout in its subdirectory "source"
#   GIT_URL        the repository of the lane, by the URL that everybody knows it by; the branch names it
#   GIT_WRITE_URL  repository to push to
#   GITOPS_BRANCH  branch to push to
#   IMAGE_DIGEST   digest of the manager's image, and
#   ENV_IDENTITY   identity of its environment; both empty: the image that the branch names already
#   SSH_WORKSPACE  directory with private keys ("id_*") and "known_hosts"; empty: git as it is
#   RESULT_COMMIT  file for the result "commit": the newest commit of the branch
# The last line of the output is a JSON record. Exit code: 0, also when there was nothing to push; 2 for a wrong
# setting; else that of agentrun.
set -eu

: "$LANE" "$WORKSPACE" "$GIT_URL" "$GIT_WRITE_URL" "$GITOPS_BRANCH" "$RESULT_COMMIT"
step=${STEP:-publish}
image_digest=${IMAGE_DIGEST-}
env_identity=${ENV_IDENTITY-}
ssh_workspace=${SSH_WORKSPACE-}
scratch=
status=failed
revision=null
commit=null

# Messages name settings, never the value of a URL: it may hold a password.
fail() {
  printf '%s: error: %s\n' "$step" "$1" >&2
  exit 2
}

finish() {
  if [ "$1" -ne 0 ]; then status=failed; fi
  if [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
  printf '{"event":"agentrun-ci-%s","status":"%s","lane":"%s","revision":%s,"commit":%s,"valuesPrinted":false}\n' \
    "$step" "$status" "$LANE" "$revision" "$commit"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ssh takes a key only when nobody else may read it, which a mounted Secret does not give: it gets copies.
use_ssh() {
  [ -f "$1/known_hosts" ] || fail 'the workspace git-ssh has no file "known_hosts", so no server can be trusted'
  ssh="ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=30 -o StrictHostKeyChecking=yes"
  ssh="$ssh -o UserKnownHostsFile=$scratch/known_hosts -o GlobalKnownHostsFile=/dev/null"
  ssh="$ssh -o IdentitiesOnly=yes -o IdentityAgent=none"
  keys=
  for key in "$1"/id_*; do
    name=${key##*/}
    case $name in *.pub | *[!A-Za-z0-9._-]*) continue ;; esac
    [ -f "$key" ] || continue
    # A key that lost its last line feed on the way into the Secret is no key to ssh.
    { cat "$key" && echo; } >"$scratch/$name"
    chmod 600 "$scratch/$name"
    keys="$keys -i $scratch/$name"
  done
  [ -n "$keys" ] || fail 'the workspace git-ssh has no private key: a file "id_ed25519", "id_rsa", ...'
  cat "$1/known_hosts" >"$scratch/known_hosts"
  export GIT_SSH_COMMAND="$ssh$keys"
}

for url in "$GIT_URL" "$GIT_WRITE_URL"; do
  case $url in
    '' | -* | *[[:space:]]*) fail 'GIT_URL and GIT_WRITE_URL must be git URLs' ;;
  esac
  authority=${url#*://}
  case ${authority%%/*} in
    *:*@*) fail 'GIT_URL and GIT_WRITE_URL must hold no password: give it to git by the ServiceAccount' ;;
  esac
done
case $GITOPS_BRANCH in
  '' | -* | *[!A-Za-z0-9._/-]*) fail "GITOPS_BRANCH is \"$GITOPS_BRANCH\"; it must be a branch" ;;
esac
if [ -n "$image_digest" ] && [ -z "$env_identity" ]; then fail 'image-digest is given without env-identity'; fi
if [ -z "$image_digest" ] && [ -n "$env_identity" ]; then fail 'env-identity is given without image-digest'; fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/publish.XXXXXX")
case $scratch in *[!A-Za-z0-9._/-]*) fail 'the path of the directory for temporary files holds a special character' ;; esac
if [ -n "$ssh_workspace" ]; then use_ssh "$ssh_workspace"; fi

cd "$WORKSPACE/source"
head=$(git rev-parse --verify HEAD)
revision=\"$head\"
set -- "$LANE" --lanes-dir lanes --remote "$GIT_WRITE_URL" --branch "$GITOPS_BRANCH" \
  --source-commit "$head" --lane-repository "$GIT_URL" --format json
if [ -n "$image_digest" ]; then
  set -- "$@" --image-digest "$image_digest" --env-identity "$env_identity"
else
  set -- "$@" --artifact branch
fi
code=0
TMPDIR=$scratch agentrun publish "$@" >"$scratch/report" || code=$?
[ -s "$scratch/report" ] || exit "$code"

# The problems for people; then, for us, how it ended.
read_report='
  const { lanes: [lane], problems } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  for (const { severity, code, message, hint } of problems) {
    console.error(`${severity}[${code}] ${message}${hint ? `\n  hint: ${hint}` : ""}`);
  }
  console.log(lane?.status ?? "failed", lane?.commit ?? "");
'
ended=$(node -e "$read_report" "$scratch/report")
status=${ended%% *}
[ "$code" -eq 0 ] || exit "$code"
newest=${ended#* }
commit=\"$newest\"
printf '%s' "$newest" >"$RESULT_COMMIT"
