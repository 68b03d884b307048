"""Codes of TID 1500 that writing and reading share, as (value, scheme)."""

from __future__ import annotations

COMMENT = ("121106", "DCM")
UPPER = ("371886008", "SCT")  # range of upper measurement uncertainty
LOWER = ("371885007", "SCT")
GROUP = ("125007", "DCM")
TRACKING, TRACKING_UID = ("112039", "DCM"), ("112040", "DCM")
FINDING = ("121071", "DCM")
FINDING_SITES = (("363698007", "SCT"), ("G-C0E3", "SRT"))
REPORT = ("126000", "DCM")

JOIN = ": "  # between a lesion's name and its tissue's
