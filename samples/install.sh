#!/bin/sh
# install.sh LIST... - installs the Debian packages of the lists that are missing, as root or
# with sudo.
set -eu

missing=
for list; do
    for package in $(sed 's/#.*//' "$list"); do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# An index that is there may do; if it is old or absent, it is fetched and tried again.
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
    { $sudo apt-get update -qq &&
        $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
