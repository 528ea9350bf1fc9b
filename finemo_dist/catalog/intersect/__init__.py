"""Hits that several calls share: read by place, matched as arrays, written as one table."""
