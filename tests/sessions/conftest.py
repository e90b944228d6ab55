"""The state machine owns its database: no worker runs there but those that it runs itself."""

from tests.workers.conftest import bench, bench_app

__all__ = ["bench", "bench_app"]
