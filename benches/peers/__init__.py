"""Peers for the speed benchmarks: what the best common Python packages take for the same work, as one JSON object each.

`pip install -r benches/peers/requirements.txt`, then with `benches/` on PYTHONPATH: `python -m peers.pictures --folder DIR`, and so on.
"""
