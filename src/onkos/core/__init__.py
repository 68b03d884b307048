"""The types every room speaks in: frozen, keyword-only, checked when built. numpy only."""
