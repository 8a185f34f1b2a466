"""Addresses that are nobody's on the public internet, so that no table can say whose they are (IANA special-purpose registries)."""

from __future__ import annotations

RESERVED: dict[str, str] = {
    "0.0.0.0/8": "this network (RFC 791)",
    "10.0.0.0/8": "private use (RFC 1918)",
    "100.64.0.0/10": "inside a carrier's own network (RFC 6598)",
    "127.0.0.0/8": "this machine (RFC 1122)",
    "169.254.0.0/16": "link local (RFC 3927)",
    "172.16.0.0/12": "private use (RFC 1918)",
    "192.0.0.0/24": "protocol assignments (RFC 6890)",
    "192.0.2.0/24": "documentation (RFC 5737)",
    "192.168.0.0/16": "private use (RFC 1918)",
    "198.18.0.0/15": "benchmarking (RFC 2544)",
    "198.51.100.0/24": "documentation (RFC 5737)",
    "203.0.113.0/24": "documentation (RFC 5737)",
    "224.0.0.0/4": "multicast (RFC 5771)",
    "240.0.0.0/4": "reserved (RFC 1112)",
    "::/127": "unspecified and this machine (RFC 4291)",
    "100::/64": "discard only (RFC 6666)",
    "2001:db8::/32": "documentation (RFC 3849)",
    "3fff::/20": "documentation (RFC 9637)",
    "fc00::/7": "private use (RFC 4193)",
    "fe80::/10": "link local (RFC 4291)",
    "ff00::/8": "multicast (RFC 4291)",
}
"""Networks and why they say nothing."""
