#!/bin/sh
# Prints the identity of an environment image: "env-" and the first 12 hex digits of the sha256 over the bytes of its
# Dockerfile, of package-lock.json and of the boot script, in this order.
#
#   templates/images/env-identity.sh [manager|runner]     default: manager
set -eu

image=${1:-manager}
case $image in
  manager | runner) ;;
  *)
    printf 'env-identity: the image is "%s"; allowed are manager and runner\n' "$image" >&2
    exit 2
    ;;
esac

root=$(cd "$(dirname "$0")/../.." && pwd)
dockerfile=$root/templates/images/$image/Dockerfile
lock=$root/package-lock.json
boot=$root/templates/boot/agentrun-boot.sh
for file in "$dockerfile" "$lock" "$boot"; do
  if [ ! -r "$file" ]; then
    printf 'env-identity: cannot read %s\n' "$file" >&2
    exit 1
  fi
done

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi
}

printf 'env-%s\n' "$(cat "$dockerfile" "$lock" "$boot" | sha256 | cut -c 1-12)"
