"""Regulations as data and pure checks: what the law wants, judged over facts that journals prove (design section 1).

Each TOML file here is one regulation. `reading` turns it into a `Regime` or says in which line it is wrong, `judging`
holds facts against it, `retention` says how long evidence stays. Nothing here reads a disc or a clock.
"""
