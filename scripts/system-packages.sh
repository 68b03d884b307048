#!/bin/sh
# Debian programs the tests look over our shoulder with: dicom3tools (dciodvfy), dcmtk, chromium.
# Installs the missing ones where that is possible, otherwise says which tests will skip.
missing=""
command -v dciodvfy >/dev/null || missing="$missing dicom3tools"
command -v dcmdump >/dev/null || missing="$missing dcmtk"
command -v chromium >/dev/null || missing="$missing chromium"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null && exit 0
fi
echo "Not installed:$missing. The tests that need them will skip (Debian: sudo apt-get install$missing)."
