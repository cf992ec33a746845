"""The cold chain as arithmetic: kinetics, sums over time, and what goods have borne. Pure (docs/coldchain.md)."""
